/** Plans for taking things down: dependents first, what nobody needs any more last. Pure. */
import type { Graph } from "../graph/graph.ts";
import { levels } from "../graph/order.ts";
import type { Project } from "../model/types.ts";
import { imageOf } from "./names.ts";
import type { Observed, ObservedContainer } from "./observed.ts";
import type { Plan } from "./operations.ts";
import { orphansOf } from "./plan.ts";
import { PlanBuilder } from "./steps.ts";
import { planStopOf, subjectOf, targetOf } from "./stopping.ts";

export interface DownOptions {
  /** Services named on the command line: only their containers go; empty: the whole project. */
  readonly services: readonly string[];
  readonly volumes: boolean;
  /** Images to remove: all, or only those without a name of their own in the file. */
  readonly images: "all" | "local" | undefined;
  readonly removeOrphans: boolean;
  readonly timeout: number | undefined; // seconds
}

/** Stops and removes containers, then the networks, and on request volumes and images. */
export function planDown(graph: Graph, observed: Observed, options: DownOptions): Plan {
  const builder = new PlanBuilder();
  const removed = planRemoval(graph, containersToRemove(graph, observed, options), options, builder);
  if (options.services.length > 0) return builder.plan;
  const { project } = graph;
  for (const { name, project: owner } of observed.networks) {
    if (owner !== project.name) continue;
    builder.decide({ subject: "network", id: name, verdict: "remove", why: "down" });
    builder.step({ kind: "removeNetwork", why: "down", name }, removed);
  }
  if (options.volumes) {
    for (const { name, project: owner } of observed.volumes) {
      if (owner !== project.name) continue;
      builder.decide({ subject: "volume", id: name, verdict: "remove", why: "asked for by --volumes" });
      builder.step({ kind: "removeVolume", why: "asked for by --volumes", name }, removed);
    }
  }
  for (const image of imagesToRemove(project, observed, options.images)) {
    builder.decide({ subject: "image", id: image, verdict: "remove", why: "asked for by --rmi" });
    builder.step({ kind: "removeImage", why: "asked for by --rmi", image }, removed);
  }
  return builder.plan;
}

/** Stops the running containers of services, each after those that depend on it. */
export function planStop(graph: Graph, observed: Observed, timeout: number | undefined): Plan {
  const builder = new PlanBuilder();
  const stops = new Map<string, readonly number[]>();
  for (const service of levels(graph).toReversed().flat()) {
    const running = containersOf(observed, service).filter(isUp);
    const after = dependentSteps(graph, service, stops);
    for (const container of running)
      builder.decide({ ...subjectOf(container), verdict: "stop", why: "stop" });
    stops.set(
      service,
      running.map((container) => planStopOf(builder, graph.project, container, "stop", timeout, after)),
    );
  }
  return builder.plan;
}

function planRemoval(
  graph: Graph,
  containers: readonly ObservedContainer[],
  options: DownOptions,
  builder: PlanBuilder,
): readonly number[] {
  const ends = new Map<string, readonly number[]>();
  const all: number[] = [];
  const order = [...levels(graph).toReversed().flat()];
  const others = [...new Set(containers.map(({ service }) => service))].filter(
    (name) => !order.includes(name),
  );
  for (const service of [...others, ...order]) {
    const after = dependentSteps(graph, service, ends);
    const steps = containers
      .filter((container) => container.service === service)
      .map((container) => {
        builder.decide({ ...subjectOf(container), verdict: "remove", why: "down" });
        const stop = isUp(container)
          ? [planStopOf(builder, graph.project, container, "down", options.timeout, after)]
          : after;
        const remove = {
          kind: "removeContainer",
          why: "down",
          ...targetOf(container),
          volumes: options.volumes,
        } as const;
        return { stop, remove: builder.step(remove, stop) };
      });
    // What this service depends on may stop as soon as this one has stopped; it need not be removed first.
    ends.set(
      service,
      steps.flatMap(({ stop }) => stop),
    );
    all.push(...steps.map(({ remove }) => remove));
  }
  return all;
}

function containersToRemove(
  graph: Graph,
  observed: Observed,
  options: DownOptions,
): readonly ObservedContainer[] {
  if (options.services.length > 0) {
    return observed.containers.filter(({ service, oneoff }) => !oneoff && options.services.includes(service));
  }
  const orphans = new Set(orphansOf(graph, observed));
  return observed.containers.filter(
    (container) => container.oneoff || options.removeOrphans || !orphans.has(container),
  );
}

function imagesToRemove(
  project: Project,
  observed: Observed,
  which: DownOptions["images"],
): readonly string[] {
  if (which === undefined) return [];
  const services = Object.values(project.services).filter(
    (service) => which === "all" || service.image === undefined,
  );
  return [...new Set(services.map((service) => imageOf(project, service)))].filter(
    (image) => observed.images[image],
  );
}

function dependentSteps(
  graph: Graph,
  service: string,
  steps: ReadonlyMap<string, readonly number[]>,
): readonly number[] {
  return graph.edges.filter(({ to }) => to === service).flatMap(({ from }) => steps.get(from) ?? []);
}

function containersOf(observed: Observed, service: string): readonly ObservedContainer[] {
  return observed.containers.filter((container) => container.service === service && !container.oneoff);
}

function isUp({ state }: ObservedContainer): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}
