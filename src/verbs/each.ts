/** Verbs that do one thing to each container of some services, in order of dependency where that matters. */
import type { EngineClient } from "../client/client.ts";
import type { Context } from "../context.ts";
import { dependentsOf, type Graph, narrow } from "../graph/graph.ts";
import { levels } from "../graph/order.ts";
import type { ProjectSource } from "../model/types.ts";
import { graceSeconds } from "../reconcile/body/body.ts";
import { observeContainers } from "../reconcile/observe.ts";
import type { ContainerState, ObservedContainer } from "../reconcile/observed.ts";
import { findContainers } from "./containers.ts";

interface Deed {
  readonly doing: string;
  readonly done: string;
  readonly on: readonly ContainerState[]; // states in which there is something to do
  act(engine: EngineClient, container: ObservedContainer, grace: number | undefined): Promise<void>;
}

const DEEDS = {
  restart: {
    doing: "restarting",
    done: "started",
    on: ["created", "running", "restarting", "exited", "dead"],
    act: (engine, { id }, grace) =>
      engine.restartContainer(id, grace === undefined ? {} : { timeout: grace }),
  },
  pause: {
    doing: "pausing",
    done: "paused",
    on: ["running"],
    act: (engine, { id }) => engine.pauseContainer(id),
  },
  unpause: {
    doing: "unpausing",
    done: "running",
    on: ["paused"],
    act: (engine, { id }) => engine.unpauseContainer(id),
  },
} as const satisfies Record<string, Deed>;

export type DeedName = keyof typeof DEEDS;

/**
 * @param dependents services that `depends_on.restart` ties to the named ones as well
 * @returns how many containers there was something to do for
 */
export async function toEach(
  name: DeedName,
  source: ProjectSource,
  services: readonly string[],
  timeout: number | undefined,
  context: Context,
  dependents = false,
): Promise<number> {
  const deed: Deed = DEEDS[name];
  const found = await findContainers(source, services, context.engine);
  const all = dependents ? tied(found.graph, found.services) : found.services;
  let count = 0;
  for (const level of levels(narrow(found.graph, all))) {
    const here = found.all.filter(
      ({ service, state, oneoff }) => !oneoff && level.includes(service) && deed.on.includes(state),
    );
    count += here.length;
    await Promise.all(
      here.map(async (container) => {
        const id = `${container.service}-${container.number}`;
        const grace = found.graph.project.services[container.service]?.stop_grace_period;
        context.signal.throwIfAborted();
        context.report.on({ subject: "container", id, phase: "working", text: deed.doing });
        await deed.act(
          context.engine,
          container,
          timeout ?? (grace === undefined ? undefined : graceSeconds(grace)),
        );
        context.report.on({ subject: "container", id, phase: "done", text: deed.done });
      }),
    );
  }
  return count;
}

/** Services with those that are to be restarted with them. */
function tied(graph: Graph, services: readonly string[]): readonly string[] {
  const all = new Set(services);
  for (const service of all)
    for (const { from, restart } of dependentsOf(graph, service)) if (restart) all.add(from);
  return [...all];
}

/** Sends a signal to every running container of the services; `orphans` are removed besides. */
export async function kill(
  source: ProjectSource,
  services: readonly string[],
  { signal, orphans }: { readonly signal: string; readonly orphans: boolean },
  context: Context,
): Promise<void> {
  const { graph, containers } = await findContainers(source, services, context.engine);
  const { project } = graph;
  const lost = orphans
    ? (await observeContainers(project.name, context.engine)).filter(
        ({ service }) => !(service in project.services) && !(service in project.disabledServices),
      )
    : [];
  await Promise.all(
    lost.map(async ({ id, service, number }) => {
      await context.engine.removeContainer(id, { force: true });
      const subject = { subject: "container", id: `${service}-${number}` } as const;
      context.report.on({ ...subject, phase: "done", text: "removed" });
    }),
  );
  await Promise.all(
    containers
      .filter(({ state }) => state === "running" || state === "paused")
      .map(async ({ id, service, number }) => {
        await context.engine.killContainer(id, { signal });
        context.report.on({
          subject: "container",
          id: `${service}-${number}`,
          phase: "done",
          text: `sent ${signal}`,
        });
      }),
  );
}

/** Removes stopped containers. @returns what was removed */
export async function remove(
  source: ProjectSource,
  services: readonly string[],
  volumes: boolean,
  context: Context,
): Promise<number> {
  const { containers } = await findContainers(source, services, context.engine);
  const stopped = containers.filter(
    ({ state }) => state !== "running" && state !== "paused" && state !== "restarting",
  );
  await Promise.all(
    stopped.map(async ({ id, service, number }) => {
      await context.engine.removeContainer(id, { volumes });
      context.report.on({ subject: "container", id: `${service}-${number}`, phase: "done", text: "removed" });
    }),
  );
  return stopped.length;
}
