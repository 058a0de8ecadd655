/** Finding the containers of a project's services, for every verb that works on existing ones. */
import type { EngineClient } from "../client/client.ts";
import { AppError } from "../errors.ts";
import { buildGraph, type Graph } from "../graph/graph.ts";
import { checkServices } from "../graph/walk.ts";
import type { ProjectSource } from "../model/types.ts";
import { observeContainers } from "../reconcile/observe.ts";
import type { ObservedContainer } from "../reconcile/observed.ts";
import { loadOrRecall } from "./project.ts";

export interface Found {
  readonly graph: Graph;
  readonly services: readonly string[]; // the named ones, else all
  readonly containers: readonly ObservedContainer[]; // of these services, one-offs left out
  readonly all: readonly ObservedContainer[]; // of the project
}

/** @throws {AppError} SERVICE_UNKNOWN */
export async function findContainers(
  source: ProjectSource,
  named: readonly string[],
  engine: EngineClient,
): Promise<Found> {
  const project = await loadOrRecall(source, engine);
  const graph = buildGraph(project);
  checkServices(graph, named);
  const all = await observeContainers(project.name, engine);
  const services = named.length > 0 ? graph.services.filter((name) => named.includes(name)) : graph.services;
  const containers = all.filter(({ service, oneoff }) => !oneoff && services.includes(service));
  return { graph, services, containers, all };
}

/**
 * One container of a service.
 *
 * @param index the container's number, from 1; undefined: the lowest that runs
 * @throws {AppError} SERVICE_UNKNOWN, SERVICE_NOT_RUNNING
 */
export async function findOne(
  source: ProjectSource,
  service: string,
  index: number | undefined,
  engine: EngineClient,
): Promise<ObservedContainer> {
  const { containers } = await findContainers(source, [service], engine);
  const found =
    index === undefined
      ? (containers.find(({ state }) => state === "running") ?? containers[0])
      : containers.find(({ number }) => number === index);
  if (found) return found;
  throw new AppError(
    "SERVICE_NOT_RUNNING",
    `${service}${index === undefined ? "" : `-${index}`} has no container`,
    {
      hint: `\`slipway up -d ${service}\` starts it.`,
    },
  );
}

/** @throws {AppError} SERVICE_NOT_RUNNING */
export async function findRunning(
  source: ProjectSource,
  service: string,
  index: number | undefined,
  engine: EngineClient,
): Promise<ObservedContainer> {
  const found = await findOne(source, service, index, engine);
  if (found.state === "running") return found;
  const how = found.exitCode === undefined ? found.state : `${found.state} with ${found.exitCode}`;
  throw new AppError("SERVICE_NOT_RUNNING", `${service}-${found.number} is not running: ${how}`, {
    hint: `\`slipway logs ${service}\` shows what it said, \`slipway start ${service}\` starts it.`,
  });
}
