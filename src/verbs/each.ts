/** Verbs that do one thing to each container of some services, in order of dependency where that matters. */
import type { EngineClient } from "../client/client.ts";
import type { Context } from "../context.ts";
import { narrow } from "../graph/graph.ts";
import { levels } from "../graph/order.ts";
import type { ProjectSource } from "../model/types.ts";
import { graceSeconds } from "../reconcile/body/body.ts";
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

/** @returns how many containers there was something to do for */
export async function toEach(
  name: DeedName,
  source: ProjectSource,
  services: readonly string[],
  timeout: number | undefined,
  context: Context,
): Promise<number> {
  const deed: Deed = DEEDS[name];
  const found = await findContainers(source, services, context.engine);
  let count = 0;
  for (const level of levels(narrow(found.graph, found.services))) {
    const here = found.containers.filter(
      ({ service, state }) => level.includes(service) && deed.on.includes(state),
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

/** Sends a signal to every running container of the services. */
export async function kill(
  source: ProjectSource,
  services: readonly string[],
  signal: string,
  context: Context,
): Promise<void> {
  const { containers } = await findContainers(source, services, context.engine);
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
