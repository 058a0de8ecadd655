import type { Context } from "../context.ts";
import { buildGraph, type Graph, narrow } from "../graph/graph.ts";
import { checkServices } from "../graph/walk.ts";
import type { ProjectSource } from "../model/types.ts";
import { planStop } from "../reconcile/down.ts";
import { observeContainers } from "../reconcile/observe.ts";
import { carryOut } from "./carry.ts";
import { loadOrRecall } from "./project.ts";
import { withdraw } from "./providers.ts";

/** Stops services, each after those that depend on it; their containers stay. */
export async function stop(
  source: ProjectSource,
  services: readonly string[],
  timeout: number | undefined,
  context: Context,
): Promise<void> {
  const graph = buildGraph(await loadOrRecall(source, context.engine));
  checkServices(graph, services);
  await stopProject(graph, services, timeout, context);
  await withdraw(graph, services, "stop", context);
}

/** @param timeout seconds a container has to stop in; undefined: as its service says */
export async function stopProject(
  graph: Graph,
  services: readonly string[],
  timeout: number | undefined,
  context: Context,
): Promise<void> {
  const containers = await observeContainers(graph.project.name, context.engine);
  const part = services.length === 0 ? graph : narrow(graph, services);
  const observed = { containers, networks: [], volumes: [], images: {}, contents: {} };
  const plan = planStop(part, observed, timeout);
  await carryOut(graph.project, observed, plan, context);
}
