import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { BlobDescriptor } from "../catalog.ts";
import { compressionOf, decompress } from "../decompress.ts";
import { type Filled, type Staging, unpackLimits } from "../layers.ts";
import type { ItemProgress } from "../progress.ts";
import { MEDIA } from "../registry/manifest.ts";
import type { ImageStore } from "../store.ts";

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
  const copy = new PackedCopy(path);
  try {
    const told = (done: number): void => lines.amount("Loading layer", done, size);
    const passing = Readable.from(copy.keep(content, told), { objectMode: false, highWaterMark: 1 << 20 });
    const { stream, compression } = await decompress(passing);
    const filled = await store.layers.fill(staging, stream, { ...unpackLimits(size), recipe: true });
    lines.status("Loading layer");
    if (compression === "none") {
      await copy.drop();
      return { staging, filled, packed: undefined };
    }
    const mediaType = `${MEDIA.ociLayer}+${compression}`;
    return { staging, filled, packed: { path, digest: copy.digest, size, mediaType } };
  } catch (error) {
    await store.layers.discard(staging);
    await copy.drop();
    throw error;
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

/** Passes content on, and writes it to a file if it is compressed. */
class PackedCopy {
  readonly #path: string;
  readonly #hash = createHash("sha256");

  constructor(path: string) {
    this.#path = path;
  }

  /** Of all that passed, where it was compressed. */
  get digest(): string {
    return `sha256:${this.#hash.digest("hex")}`;
  }

  async *keep(content: AsyncIterable<Buffer>, passed: (bytes: number) => void): AsyncGenerator<Buffer> {
    let file: FileHandle | undefined;
    let done = 0;
    try {
      for await (const chunk of content) {
        // The first bytes tell; too few of them leave it open.
        if (done === 0 && (chunk.length < 6 || compressionOf(chunk) !== "none"))
          file = await open(this.#path, "wx", 0o600);
        done += chunk.length;
        if (file !== undefined) {
          this.#hash.update(chunk);
          await file.write(chunk);
        }
        passed(done);
        yield chunk;
      }
    } finally {
      await file?.close();
    }
  }

  drop(): Promise<void> {
    return rm(this.#path, { force: true });
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.datasync().finally(() => file.close());
}
