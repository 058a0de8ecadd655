/** What the builder keeps on disk, and how it is let go of. */
import { readdir, rm, stat } from "node:fs/promises";
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
  /** Only what this says. */
  readonly matches?: ((entry: KeptEntry) => boolean) | undefined;
}

/** What filters look at. */
export interface KeptEntry {
  readonly id: string;
  readonly type: "regular" | "exec.cachemount" | "source.http";
  readonly description: string;
  readonly inUse: boolean;
  /** An image has it too. */
  readonly shared: boolean;
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
  for (const { key, diffId, size, usedAt, title } of newestFirst) {
    const isShared = inImages.has(diffId);
    const entry = { id: key, type: "regular", description: title, inUse: false, shared: isShared } as const;
    if (options.matches?.(entry) === false) continue;
    const isFresh = isFresher(usedAt, options);
    const fits = options.keepBytes !== undefined && kept + size <= options.keepBytes;
    if (isFresh || fits || (isShared && !options.all)) {
      kept += size;
      continue;
    }
    await cache.remove(key);
    deleted.push(key);
  }
  const { bytes } = await images.sweep();
  const isWide = options.all || options.matches !== undefined;
  const mounts = isWide ? await pruneMounts(deps, options) : { deleted: [], bytes: 0 };
  const files = isWide ? await pruneDownloads(deps, options) : [];
  return { deleted: [...deleted, ...mounts.deleted, ...files], bytes: bytes + mounts.bytes };
}

/** How long what was learnt of a context's files is kept; without it they are read once more. */
const STALE_MS = 30 * 24 * 60 * 60 * 1000;

/** Removes files of a directory of ours that nobody wrote for long: of contexts that are gone, as most in /tmp are. */
export async function removeStale(directory: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && now - found.mtimeMs > STALE_MS)
      await rm(path, { force: true, recursive: true });
  }
}

function isFresher(usedAt: number, { unusedSince }: PruneOptions): boolean {
  return unusedSince !== undefined && usedAt >= unusedSince;
}

async function pruneMounts(deps: PruneDeps, options: PruneOptions): Promise<Pruned> {
  const { cacheMounts, workers, trash } = deps;
  const deleted: string[] = [];
  let bytes = 0;
  for (const { id, name, usedAt } of await cacheMounts.names()) {
    const inUse = cacheMounts.isUsed(name);
    const entry = {
      id: name,
      type: "exec.cachemount",
      description: `cached mount ${id}`,
      inUse,
      shared: false,
    } as const;
    if (inUse || isFresher(usedAt, options) || options.matches?.(entry) === false) continue;
    const path = join(cacheMounts.directory, name);
    bytes += (await workers.measure({ kind: "dir", path })).bytes;
    await trash.discard(path);
    deleted.push(name);
  }
  return { deleted, bytes };
}

async function pruneDownloads({ downloads, trash }: PruneDeps, options: PruneOptions): Promise<string[]> {
  const deleted: string[] = [];
  for (const name of await readdir(downloads)) {
    const path = join(downloads, name);
    const id = name.replace(/\.json$/, "");
    const entry = {
      id,
      type: "source.http",
      description: "fetched file",
      inUse: false,
      shared: false,
    } as const;
    // A file's own time is its server's; when it was fetched, its status has changed.
    const { ctimeMs } = await stat(path).catch(() => ({ ctimeMs: 0 }));
    if (isFresher(ctimeMs, options) || options.matches?.(entry) === false) continue;
    await trash.discard(path);
    if (id === name) deleted.push(id);
  }
  return deleted;
}
