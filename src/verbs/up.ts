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
import { containersOnly, provide } from "./providers.ts";
import { awaitReady } from "./ready.ts";
import { withApiSocket } from "./socket.ts";

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
  const project = await withApiSocket(await load(source), context);
  const whole = select(buildGraph(project), options);
  await prepare(containersOnly(whole), options, context);
  const graph = await provide(whole, context);
  const observed = await observe(graph.project, context.engine);
  const plan = planUp(graph, observed, options);
  await announce(graph, plan, context);
  await carryOut(graph.project, observed, plan, context);
  await settle(graph, plan, options, context);
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

/** What would fail for sure is told, and the images are there, before anything is touched. */
async function prepare({ project, services }: Graph, options: ImageOptions, context: Context): Promise<void> {
  reportWarnings(project, context.report);
  const local = context.engine.address.startsWith("unix:");
  throwAll(await checkServices(project, services, local));
  await ensureImages(project, services, options, context);
}

/** Tells what is going to be done and why, and refuses what the ports forbid. */
async function announce({ project }: Graph, plan: Plan, { report, engine }: Context): Promise<void> {
  reportPlan(project, plan, report);
  throwAll(await portConflicts(project, plan, engine));
}

async function settle(graph: Graph, plan: Plan, options: UpOptions, context: Context): Promise<void> {
  if (options.wait) await awaitReady(graph, plan, options.waitTimeout, context);
  if (plan.steps.length > 0) await reportPorts(graph, context);
}
