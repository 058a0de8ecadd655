/** Looks at the engine, once, with all questions at the same time: what planning compares the project with. */
import { readFile } from "node:fs/promises";
import type { ContainerInfo, NetworkInspectInfo, VolumeInspectInfo } from "dockerode";
import type { EngineClient } from "../client/client.ts";
import { isMissing } from "../client/failures.ts";
import { AppError } from "../errors.ts";
import { LABEL, projectFilter } from "../labels.ts";
import type { Project } from "../model/types.ts";
import { type Canonical, digest } from "./canonical.ts";
import { imagesOf } from "./names.ts";
import type {
  ContainerState,
  Health,
  Observed,
  ObservedContainer,
  ObservedNetwork,
  ObservedVolume,
} from "./observed.ts";

export async function observe(project: Project, engine: EngineClient): Promise<Observed> {
  const names = [
    ...new Set(Object.values(project.services).flatMap((service) => imagesOf(project, service))),
  ];
  const [containers, networks, volumes, images, contents] = await Promise.all([
    observeContainers(project.name, engine),
    engine.listNetworks(),
    engine.listVolumes(),
    observeImages(names, engine),
    contentDigests(project),
  ]);
  return {
    containers,
    networks: networks.map(readNetwork),
    volumes: volumes.map(readVolume),
    images,
    contents,
  };
}

/** Containers of a project, by service and number. */
export async function observeContainers(
  project: string,
  engine: EngineClient,
): Promise<readonly ObservedContainer[]> {
  const found = await engine.listContainers({ all: true, filters: projectFilter(project) });
  return found
    .map(readContainer)
    .sort((a, b) => (a.service === b.service ? a.number - b.number : a.service < b.service ? -1 : 1));
}

/** Ids of images by name; undefined for one that is not there. */
export async function observeImages(
  names: readonly string[],
  engine: EngineClient,
): Promise<Readonly<Record<string, string | undefined>>> {
  const ids = await Promise.all(
    names.map((name) =>
      engine.inspectImage(name).then(
        ({ Id }) => Id,
        (error: unknown) => {
          if (isMissing(error)) return undefined;
          throw error;
        },
      ),
    ),
  );
  return Object.fromEntries(names.map((name, index) => [name, ids[index]]));
}

export function readContainer(info: ContainerInfo): ObservedContainer {
  const { Labels: labels } = info;
  const exit = /^Exited \((-?\d+)\)/.exec(info.Status)?.[1];
  const anonymous = (info.Mounts ?? []).filter(
    ({ Type, Name }) => Type === "volume" && /^[0-9a-f]{64}$/.test(Name ?? ""),
  );
  return {
    id: info.Id,
    name: info.Names[0]?.replace(/^\//, "") ?? info.Id.slice(0, 12),
    service: labels[LABEL.service] ?? "",
    number: Number(labels[LABEL.number] ?? 1),
    oneoff: labels[LABEL.oneoff] === "True",
    state: info.State as ContainerState,
    health: healthOf(info.Status),
    exitCode: exit === undefined ? undefined : Number(exit),
    image: labels[LABEL.image] || info.ImageID,
    definition: parse(labels[LABEL.definition]),
    networks: Object.keys(info.NetworkSettings?.Networks ?? {}),
    anonymous: Object.fromEntries(anonymous.map(({ Destination, Name }) => [Destination, Name!])),
  };
}

/** The list has no field for it: it says `Up 2 minutes (healthy)`. */
function healthOf(status: string): Health | undefined {
  const word = /\((healthy|unhealthy|health: starting)\)/.exec(status)?.[1];
  return word === "health: starting" ? "starting" : (word as Health | undefined);
}

function readNetwork({ Id, Name, Labels }: NetworkInspectInfo): ObservedNetwork {
  const labels = Labels ?? {};
  return {
    id: Id,
    name: Name,
    key: labels[LABEL.network],
    project: labels[LABEL.project],
    definition: parse(labels[LABEL.definition]),
  };
}

function readVolume({ Name, Labels }: VolumeInspectInfo): ObservedVolume {
  const labels = Labels ?? {};
  return {
    name: Name,
    key: labels[LABEL.volume],
    project: labels[LABEL.project],
    definition: parse(labels[LABEL.definition]),
  };
}

function parse(text: string | undefined): Canonical | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Canonical;
  } catch {
    return undefined; // Written by something else: as good as absent.
  }
}

/** @throws {AppError} SOURCE_MISSING for a secret or config whose file is not there */
export async function contentDigests(project: Project): Promise<Readonly<Record<string, string>>> {
  const wanted = (["secrets", "configs"] as const).flatMap((kind) =>
    Object.keys(project[kind])
      .filter((key) => !project[kind][key]!.external)
      .map((key) => ({ kind, key })),
  );
  const digests = await Promise.all(
    wanted.map(
      async ({ kind, key }) => [`${kind}.${key}`, digest(await contentOf(project, kind, key))] as const,
    ),
  );
  return Object.fromEntries(digests);
}

/**
 * The bytes of a secret or config.
 *
 * @throws {AppError} SOURCE_MISSING for a file that cannot be read; COMPOSE_VARIABLE for a variable that is not set
 */
export async function contentOf(project: Project, kind: "secrets" | "configs", key: string): Promise<Buffer> {
  const given = project[kind][key]!;
  const what = `${kind.slice(0, -1)} ${key}`;
  const at = project.positionOf([kind, key]);
  if ("content" in given && given.content !== undefined) return Buffer.from(given.content);
  if (given.environment !== undefined) {
    const value = project.environment[given.environment];
    if (value !== undefined) return Buffer.from(value);
    throw new AppError("COMPOSE_VARIABLE", `${what}: ${given.environment} is not set`, {
      ...(at && { at }),
      hint: `Set ${given.environment} in the environment or in .env.`,
    });
  }
  if (given.file === undefined)
    throw new AppError("COMPOSE_VALUE", `${what} has no content here`, { ...(at && { at }) });
  try {
    return await readFile(given.file);
  } catch (cause) {
    const place = project.positionOf([kind, key, "file"]) ?? at;
    throw new AppError("SOURCE_MISSING", `${what}: cannot read ${given.file}`, {
      ...(place && { at: place }),
      hint: "Create the file, or correct its path.",
      cause,
    });
  }
}
