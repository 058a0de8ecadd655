import type { Context } from "../context.ts";
import { dependenciesOf, type Graph, narrow } from "../graph/graph.ts";
import { levels } from "../graph/order.ts";
import type { ProjectSource } from "../model/types.ts";
import type { ObservedContainer } from "../reconcile/observed.ts";
import { Readiness } from "../reconcile/ready.ts";
import { findContainers } from "./containers.ts";
import { awaitReady } from "./ready.ts";

export interface StartOptions {
  readonly services: readonly string[];
  readonly wait: boolean;
  readonly waitTimeout: number | undefined; // seconds
}

/** Starts the containers that are there, each service when what it depends on is as it needs it. */
export async function start(source: ProjectSource, options: StartOptions, context: Context): Promise<void> {
  const { graph, services, containers } = await findContainers(source, options.services, context.engine);
  const part = narrow(graph, services);
  const readiness = new Readiness(graph.project, context.engine, context.signal);
  try {
    for (const level of levels(part)) {
      const stopped = containers.filter(
        ({ service, state }) => level.includes(service) && state !== "running",
      );
      const waiting = new Set(stopped.map(({ service }) => service));
      await Promise.all([...waiting].map((service) => awaitConditions(part, service, containers, readiness)));
      await Promise.all(stopped.map((container) => startOne(container, context)));
    }
  } finally {
    readiness.close();
  }
  if (options.wait)
    await awaitReady(part, { steps: [], decisions: [], warnings: [] }, options.waitTimeout, context);
}

async function awaitConditions(
  graph: Graph,
  service: string,
  containers: readonly ObservedContainer[],
  readiness: Readiness,
): Promise<void> {
  const known = dependenciesOf(graph, service).filter(({ to }) =>
    containers.some((found) => found.service === to),
  );
  await Promise.all(known.map(({ to, condition }) => readiness.wait(to, condition)));
}

async function startOne({ id, service, number, state }: ObservedContainer, context: Context): Promise<void> {
  const subject = { subject: "container", id: `${service}-${number}` } as const;
  context.signal.throwIfAborted();
  context.report.on({ ...subject, phase: "working", text: "starting" });
  if (state === "paused") await context.engine.unpauseContainer(id);
  else await context.engine.startContainer(id);
  context.report.on({ ...subject, phase: "done", text: "started" });
}
