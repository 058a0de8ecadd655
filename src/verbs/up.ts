import type { ImageOptions } from "../build/work.ts";
import type { Context } from "../context.ts";
import { throwAll } from "../errors.ts";
import { buildGraph, type Graph, narrow } from "../graph/graph.ts";
import { checkServices as checkNames, withDependencies } from "../graph/walk.ts";
import { load } from "../model/load.ts";
import type { ProjectSource } from "../model/types.ts";
import { checkServices } from "../reconcile/check.ts";
import { observe } from "../reconcile/observe.ts";
import type { Plan } from "../reconcile/operations.ts";
import type { PlanOptions } from "../reconcile/options.ts";
import { planUp } from "../reconcile/plan.ts";
import { portConflicts } from "../reconcile/ports.ts";
import { carryOut } from "./carry.ts";
import { ensureImages } from "./images.ts";
import { reportPlan, reportPorts, reportWarnings } from "./notes.ts";
import { awaitReady } from "./ready.ts";

export interface UpOptions extends PlanOptions, ImageOptions {
  readonly dependencies: boolean; // false: the named services alone
  readonly wait: boolean; // until everything runs, is healthy or has completed
  readonly waitTimeout: number | undefined; // seconds
}

export interface UpResult {
  readonly graph: Graph; // of the services that were brought up
  readonly plan: Plan;
}

/** Brings the project to the state its files declare. A second run finds nothing to do. */
export async function up(source: ProjectSource, options: UpOptions, context: Context): Promise<UpResult> {
  const project = await load(source);
  const graph = select(buildGraph(project), options);
  reportWarnings(project, context.report);
  throwAll(await checkServices(project, graph.services, context.engine.address.startsWith("unix:")));
  await ensureImages(project, graph.services, options, context);
  const observed = await observe(project, context.engine);
  const plan = planUp(graph, observed, options);
  reportPlan(project, plan, context.report);
  throwAll(await portConflicts(project, plan, context.engine));
  await carryOut(project, observed, plan, context);
  if (options.wait) await awaitReady(graph, plan, options.waitTimeout, context);
  if (plan.steps.length > 0) await reportPorts(graph, context);
  return { graph, plan };
}

/** The named services with all they need, or alone; every service where none is named. */
export function select(
  graph: Graph,
  { services, dependencies }: Pick<UpOptions, "services" | "dependencies">,
): Graph {
  checkNames(graph, services);
  if (services.length === 0) return graph;
  return narrow(graph, dependencies ? withDependencies(graph, services) : services);
}
