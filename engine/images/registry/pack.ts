import { availableParallelism } from "node:os";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { EngineError } from "../../errors.ts";
import type { BlobDescriptor } from "../catalog-file.ts";
import { Digester } from "../digest.ts";
import type { ImageStore } from "../store.ts";
import { MEDIA } from "./manifest.ts";

/** Level 1 packs three times as fast as the default and hardly worse: a push waits for it. */
const LEVEL = 1;
/** Bytes of one gzip member: each is packed by itself, on a processor of its own. @see RFC 1952, 2.2 */
const MEMBER = 4 << 20;
const MOST_AT_ONCE = 4;

const pack = promisify<Buffer, { level: number }, Buffer>(gzip);

/** Packs a layer for travel and keeps that form, so that it is the same blob everywhere and always. */
export async function packLayer(store: ImageStore, diffId: string): Promise<BlobDescriptor> {
  const digester = new Digester();
  const archive = await store.layers.pack(diffId);
  const packed = Readable.from(packedMembers(archive, digester), { objectMode: false });
  const { digest, size } = await store.blobs.putStream(packed);
  if (digester.digest !== diffId) {
    await store.blobs.remove(digest);
    throw new EngineError("system", `the layer ${diffId} changed on disk`);
  }
  const blob = { digest, size, mediaType: `${MEDIA.dockerLayer}.gzip` };
  store.layers.addBlobs(diffId, [blob]);
  await store.catalog.save();
  return blob;
}

/** Members in their order, of which several are in work. */
async function* packedMembers(archive: AsyncIterable<Buffer>, digester: Digester): AsyncGenerator<Buffer> {
  const atOnce = Math.min(MOST_AT_ONCE, availableParallelism());
  const working: Promise<Buffer>[] = [];
  for await (const member of members(archive, digester)) {
    const work = pack(member, { level: LEVEL });
    // Told to whoever waits for it, in its turn.
    work.catch(() => {});
    working.push(work);
    if (working.length > atOnce) yield (await working.shift()) as Buffer;
  }
  for (const work of working) yield await work;
}

async function* members(archive: AsyncIterable<Buffer>, digester: Digester): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of archive) {
    digester.update(piece);
    pieces.push(piece);
    size += piece.length;
    if (size < MEMBER) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pieces);
}
