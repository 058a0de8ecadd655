/** What the builder keeps on disk, and how it is let go of. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Images } from "../images/images.ts";
import type { Trash } from "../images/trash.ts";
import type { Workers } from "../native/workers.ts";
import type { StepCache } from "./cache.ts";
import type { CacheMounts } from "./cache-mounts.ts";

export interface PruneOptions {
  /** Cache mounts too, and results that images still use. */
  readonly all: boolean;
  /** Only what nobody used since: milliseconds since the epoch. */
  readonly unusedSince?: number | undefined;
  /** Bytes of results that may stay, the newest first. */
  readonly keepBytes?: number | undefined;
}

export interface Pruned {
  readonly deleted: readonly string[];
  readonly bytes: number;
}

export interface PruneDeps {
  readonly cache: StepCache;
  readonly cacheMounts: CacheMounts;
  readonly images: Images;
  readonly workers: Workers;
  readonly trash: Trash;
  /** Where files that ADD fetched are. */
  readonly downloads: string;
}

/** Forgets results of steps; their layers go when no image and no running build needs them. */
export async function prune(deps: PruneDeps, options: PruneOptions): Promise<Pruned> {
  const { cache, images } = deps;
  const inImages = new Set(images.list().flatMap(({ layers }) => layers));
  const deleted: string[] = [];
  let kept = 0;
  const newestFirst = cache.all().sort((a, b) => b.usedAt - a.usedAt);
  for (const { key, diffId, size, usedAt } of newestFirst) {
    const isShared = inImages.has(diffId);
    const isFresh = options.unusedSince !== undefined && usedAt >= options.unusedSince;
    const fits = options.keepBytes !== undefined && kept + size <= options.keepBytes;
    if (isFresh || fits || (isShared && !options.all)) {
      kept += size;
      continue;
    }
    await cache.remove(key);
    deleted.push(key);
  }
  const { bytes } = await images.sweep();
  if (options.all) {
    for (const name of await readdir(deps.downloads)) await deps.trash.discard(join(deps.downloads, name));
  }
  const mounts = options.all ? await pruneMounts(deps) : { deleted: [], bytes: 0 };
  return { deleted: [...deleted, ...mounts.deleted], bytes: bytes + mounts.bytes };
}

async function pruneMounts({ cacheMounts, workers, trash }: PruneDeps): Promise<Pruned> {
  const { directory } = cacheMounts;
  const deleted: string[] = [];
  let bytes = 0;
  for (const name of await readdir(directory)) {
    if (cacheMounts.isUsed(name)) continue;
    bytes += (await workers.measure({ kind: "dir", path: join(directory, name) })).bytes;
    await trash.discard(join(directory, name));
    deleted.push(name);
  }
  return { deleted, bytes };
}
