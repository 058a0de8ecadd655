/** `system prune`: what nothing uses, found and listed before any of it goes. */
import type Dockerode from "dockerode";
import type { EngineClient } from "../../client/client.ts";
import { AppError } from "../../errors.ts";
import { pointInTime } from "../logs.ts";

export interface PruneOptions {
  /** Also images that have a name. */
  readonly all: boolean;
  /** Also volumes without a name. */
  readonly volumes: boolean;
  /** `until`, `label`, `label!`, as the engine takes them. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

/** What would go, as a person knows it. */
export interface PrunePlan {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
  /** Results of build steps that no image has. */
  readonly buildCache: number;
}

const STOPPED: readonly string[] = ["created", "exited", "dead"];
const PREDEFINED: readonly string[] = ["bridge", "host", "none"];
const ANONYMOUS = "com.docker.volume.anonymous";

/** @throws {AppError} USAGE for a filter that is none */
export async function planPrune(engine: EngineClient, options: PruneOptions): Promise<PrunePlan> {
  const chosen = chooser(options.filters);
  const [containers, networks, volumes, images, { BuildCache }] = await Promise.all([
    engine.listContainers({ all: true }),
    engine.listNetworks(),
    options.volumes ? engine.listVolumes() : [],
    engine.listImages(),
    engine.diskUsage(),
  ]);
  const goes = (container: Dockerode.ContainerInfo): boolean =>
    STOPPED.includes(container.State) && chosen(container.Labels, container.Created);
  // What a container holds is free once it is gone.
  const staying = containers.filter((container) => !goes(container));
  const inUse = {
    networks: new Set(staying.flatMap(({ NetworkSettings }) => Object.keys(NetworkSettings?.Networks ?? {}))),
    volumes: new Set(staying.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name))),
    images: new Set(staying.map(({ ImageID }) => ImageID)),
  };
  return {
    containers: containers
      .filter(goes)
      .map(({ Names, Id }) => Names[0]?.replace(/^\//, "") ?? Id.slice(0, 12)),
    networks: networks
      .filter(({ Name, Labels, Created }) => !PREDEFINED.includes(Name) && chosen(Labels, seconds(Created)))
      .filter(({ Name }) => !inUse.networks.has(Name))
      .map(({ Name }) => Name),
    volumes: volumes
      .filter(
        ({ Name, Labels }) => Labels?.[ANONYMOUS] !== undefined && chosen(Labels) && !inUse.volumes.has(Name),
      )
      .map(({ Name }) => Name),
    images: images
      .filter(({ Id, Labels, Created }) => !inUse.images.has(Id) && chosen(Labels, Created))
      .filter(({ RepoTags }) => options.all || !RepoTags?.length)
      .flatMap(({ RepoTags, Id }) => (RepoTags?.length ? RepoTags : [Id.slice("sha256:".length, 19)])),
    buildCache: (BuildCache ?? []).filter(({ Size }) => Size > 0).length,
  };
}

/** Removes it. What came into use since the plan was made stays: the engine looks again. @returns bytes freed */
export async function prune(engine: EngineClient, { all, volumes, filters }: PruneOptions): Promise<number> {
  const { until, ...labels } = filters;
  let freed = (await engine.pruneContainers(filters)).SpaceReclaimed ?? 0;
  await engine.pruneNetworks(filters);
  if (volumes) freed += (await engine.pruneVolumes(labels)).SpaceReclaimed ?? 0;
  freed += (await engine.pruneImages({ ...filters, dangling: [String(!all)] })).SpaceReclaimed ?? 0;
  freed += (await engine.pruneBuilds({ all, ...(until && { filters: { until } }) })).SpaceReclaimed ?? 0;
  return freed;
}

/** The plan as a person reads it; empty if there is nothing to do. */
export function describePrune({ containers, networks, volumes, images, buildCache }: PrunePlan): string[] {
  const kinds = [
    ["stopped container", containers],
    ["network", networks],
    ["volume", volumes],
    ["image", images],
  ] as const;
  const lines = kinds
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${names.length} ${what}${names.length === 1 ? "" : "s"}: ${names.join(", ")}`);
  return buildCache === 0 ? lines : [...lines, `results of ${buildCache} build steps that no image has`];
}

type Chosen = (labels: Readonly<Record<string, string>> | null | undefined, created?: number) => boolean;

function chooser(filters: PruneOptions["filters"]): Chosen {
  for (const key of Object.keys(filters))
    if (!["until", "label", "label!"].includes(key))
      throw new AppError("USAGE", `--filter ${key}: nothing is pruned by that`, {
        hint: "Filters are until, label and label!.",
      });
  const before = (filters["until"] ?? []).map((text) => Number(pointInTime(text)));
  return (labels, created) =>
    (created === undefined || before.every((time) => created < time)) &&
    (filters["label"] ?? []).every((text) => has(labels ?? {}, text)) &&
    !(filters["label!"] ?? []).some((text) => has(labels ?? {}, text));
}

function has(labels: Readonly<Record<string, string>>, text: string): boolean {
  const [, key = text, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  return value === undefined ? labels[key] !== undefined : labels[key] === value;
}

function seconds(time: string | undefined): number {
  return Date.parse(time ?? "") / 1000 || 0;
}
