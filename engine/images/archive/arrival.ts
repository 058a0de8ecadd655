import { createHash, type Hash, randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { BlobDescriptor } from "../catalog-file.ts";
import { compressionOf, decompress, MAGIC_SIZE } from "../decompress.ts";
import { type Filled, type Staging, unpackLimits } from "../layers.ts";
import type { ItemProgress } from "../progress.ts";
import { MEDIA } from "../registry/manifest.ts";
import type { ImageStore } from "../store.ts";
import { peek } from "./bytes.ts";

/** A layer of an archive, unpacked before anything said which image it belongs to; with a recipe. */
export interface Arrived {
  readonly staging: Staging;
  readonly filled: Filled;
  /** Its compressed form, in a file; undefined where it came as a plain archive. */
  readonly packed: (BlobDescriptor & { readonly path: string }) | undefined;
}

/** Unpacks a layer as it passes. A compressed form is kept beside: whether it is wanted is known when all has passed. */
export async function receiveLayer(
  store: ImageStore,
  content: AsyncIterable<Buffer>,
  size: number,
  lines: ItemProgress,
): Promise<Arrived> {
  const staging = await store.layers.stage();
  const path = join(store.paths.ingest, `${randomBytes(8).toString("hex")}.tmp`);
  const options = { ...unpackLimits(size), recipe: true };
  try {
    const { start, all } = await peek(told(content, size, lines), MAGIC_SIZE);
    const compression = compressionOf(start);
    if (compression === "none")
      return { staging, filled: await store.layers.fill(staging, all, options), packed: undefined };
    const hash = createHash("sha256");
    const { stream } = await decompress(Readable.from(kept(all, path, hash), { objectMode: false }));
    const filled = await store.layers.fill(staging, stream, options);
    const digest = `sha256:${hash.digest("hex")}`;
    return { staging, filled, packed: { path, digest, size, mediaType: `${MEDIA.ociLayer}+${compression}` } };
  } catch (error) {
    await store.layers.discard(staging);
    await rm(path, { force: true });
    throw error;
  } finally {
    lines.status("Loading layer");
  }
}

/** @param isWanted whether its compressed form is to be kept, although the archive in it can be made again */
export async function commitLayer(
  store: ImageStore,
  { staging, filled, packed }: Arrived,
  isWanted: (digest: string) => boolean,
): Promise<void> {
  const record = { size: filled.size.bytes, archiveSize: filled.bytes };
  if (packed !== undefined && isWanted(packed.digest)) {
    const { path, ...blob } = packed;
    await sync(path);
    await store.blobs.adopt(path, blob.digest);
    await store.layers.dropRecipe(staging);
    await store.layers.commit(staging, filled.digest, { ...record, blobs: [blob] });
    return;
  }
  if (packed !== undefined) await rm(packed.path);
  await store.layers.commit(staging, filled.digest, { ...record, blobs: [], recipe: true });
}

/** What no image of the archive wanted. */
export async function discardLayer(store: ImageStore, { staging, packed }: Arrived): Promise<void> {
  await store.layers.discard(staging);
  if (packed !== undefined) await rm(packed.path, { force: true });
}

async function* told(
  content: AsyncIterable<Buffer>,
  size: number,
  lines: ItemProgress,
): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const chunk of content) {
    done += chunk.length;
    lines.amount("Loading layer", done, size);
    yield chunk;
  }
}

/** Passes content on, and writes it to a file. */
async function* kept(content: AsyncIterable<Buffer>, path: string, hash: Hash): AsyncGenerator<Buffer> {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      await file.write(chunk);
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.datasync().finally(() => file.close());
}
