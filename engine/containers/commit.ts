import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { applyChanges } from "../images/changes.ts";
import { hostPlatform } from "../images/import.ts";
import type { HistoryEntry, Image, RunConfig } from "../images/types.ts";
import type { Container } from "./container.ts";
import { hasFreezer, pauseContainer, unpauseContainer } from "./pause.ts";
import { formatTime, nowNs } from "./time.ts";
import { emit, type Tools } from "./tools.ts";
import { containerLayers, lowersOf, upperOf } from "./tree.ts";

export interface CommitOptions {
  /** `repository:tag`; undefined leaves the image without a name. */
  readonly reference: string | undefined;
  readonly comment: string;
  readonly author: string;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** Values that take the place of the container's. */
  readonly config: RunConfig | undefined;
  /** Hold a running container while its files are read. */
  readonly pause: boolean;
}

/** Makes an image of a container: the layers of its own image, and what it has changed as one more. */
export async function commitContainer(
  tools: Tools,
  container: Container,
  options: CommitOptions,
): Promise<Image> {
  // An ordinary user's engine may have no freezer: then the files are read as they are at the time.
  const { cgroups } = tools.host;
  const holds = options.pause && container.record.state.status === "running" && hasFreezer(cgroups);
  if (holds) await pauseContainer(tools, container);
  await using lease = tools.images.lease();
  let diffId: string;
  try {
    const layer = await tools.images.adoptLayer(await copyLayer(tools, container));
    diffId = layer.diffId;
    lease.hold(diffId);
  } finally {
    if (holds) await unpauseContainer(tools, container);
  }
  const { record } = container;
  const parent = tools.images.resolve(record.imageId);
  const created = formatTime(nowNs());
  const entry: HistoryEntry = {
    created,
    created_by: [record.path, ...record.args].join(" "),
    ...(options.author === "" ? {} : { author: options.author }),
    ...(options.comment === "" ? {} : { comment: options.comment }),
  };
  const platform = parent?.config ?? hostPlatform();
  const image = await tools.images.createImage(
    {
      architecture: platform.architecture,
      os: platform.os,
      created,
      ...(options.author === "" ? {} : { author: options.author }),
      ...(options.comment === "" ? {} : { comment: options.comment }),
      config: applyChanges({ ...runConfig(container), ...options.config }, options.changes),
      history: [...(parent?.config.history ?? []), entry],
    },
    [...record.layers, diffId],
    { tags: options.reference === undefined ? [] : [options.reference], parent: record.imageId },
  );
  emit(tools, container, "commit", { comment: options.comment });
  return image;
}

/** All files of the container as a tar; volumes are not part of it. */
export function exportContainer(tools: Tools, container: Container): Readable {
  emit(tools, container, "export");
  return tools.workers.tar(containerLayers(tools, container), { name: "" });
}

/** What the container has changed against its image, in the wire's shape; null for nothing, as Docker has it. */
export async function containerChanges(
  tools: Tools,
  container: Container,
): Promise<readonly { readonly Path: string; readonly Kind: number }[] | null> {
  const kinds = { modified: 0, added: 1, deleted: 2 } as const;
  const changes = await tools.workers.changes(upperOf(tools, container), lowersOf(tools, container));
  return changes.length === 0 ? null : changes.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] }));
}

/** The container goes on writing to its own layer: a copy becomes the image's. */
async function copyLayer(tools: Tools, container: Container): Promise<string> {
  const directory = join(tools.paths.ingest, randomBytes(8).toString("hex"));
  await mkdir(directory, { mode: 0o755 });
  const archive = tools.workers.tar(
    { kind: "dir", path: upperOf(tools, container) },
    { whiteouts: "layer", name: "" },
  );
  await tools.workers.untar(archive, { kind: "dir", path: directory }, { whiteouts: "overlay" });
  return directory;
}

/** What of the container's configuration is an image's. */
function runConfig(container: Container): RunConfig {
  const { config } = container.record;
  return {
    ...(config.User ? { User: config.User } : {}),
    ...(config.ExposedPorts ? { ExposedPorts: config.ExposedPorts } : {}),
    Env: config.Env ?? [],
    Cmd: config.Cmd ?? null,
    Entrypoint: config.Entrypoint ?? null,
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    ...(config.Volumes ? { Volumes: config.Volumes } : {}),
    WorkingDir: config.WorkingDir ?? "",
    Labels: config.Labels ?? {},
    OnBuild: config.OnBuild ?? null,
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.Shell ? { Shell: config.Shell } : {}),
  };
}
