import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { EngineError } from "../../errors.ts";
import { hexOf } from "../digest.ts";
import type { ImageStore } from "../store.ts";
import type { Descriptor } from "./manifest.ts";
import { PartialFile } from "./partial.ts";
import { pauseAfter, retry, TRIES, Transient } from "./retry.ts";
import type { RegistrySession } from "./session.ts";
import { shareBlob } from "./share.ts";

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Bytes there are by now, of the descriptor's size. */
  received?(bytes: number): void;
}

/** Answers of registries that begin amid a blob. */
const PARTIAL = 206;

/**
 * A blob's bytes, as they arrive. What arrived is kept: a cut connection is taken up where it was, also by a later
 * pull. The blob is in the store when the last byte was taken.
 *
 * @throws {EngineError} invalid if its size or digest is another one; nothing of it is kept then
 */
export async function* download(
  store: ImageStore,
  session: RegistrySession,
  blob: Descriptor,
  options: DownloadOptions = {},
): AsyncGenerator<Buffer> {
  if ((await store.blobs.size(blob.digest)) === blob.size) {
    options.received?.(blob.size);
    yield* store.blobs.open(blob.digest);
    return;
  }
  const partial = partialPath(store, blob.digest);
  const shared = `${partial}.shared.tmp`;
  const isShared = session.neighbour !== undefined && (await shareBlob(session.neighbour, blob, shared));
  const hash = createHash("sha256");
  let size = 0;
  const take = (chunk: Buffer): Buffer => {
    hash.update(chunk);
    size += chunk.length;
    options.received?.(Math.min(size, blob.size));
    if (size > blob.size)
      throw new EngineError(
        "invalid",
        `${blob.digest} is longer than the ${blob.size} bytes of its manifest`,
      );
    return chunk;
  };
  const check = (): void => {
    if (`sha256:${hash.digest("hex")}` === blob.digest) return;
    throw new EngineError("invalid", `filesystem layer verification failed for digest ${blob.digest}`);
  };
  try {
    if (isShared) {
      for await (const chunk of createReadStream(shared, { highWaterMark: 1 << 20 }))
        yield take(chunk as Buffer);
      check();
      await store.blobs.adopt(shared, blob.digest);
      return;
    }
    for await (const chunk of kept(partial, blob.size)) yield take(chunk as Buffer);
    const file = await PartialFile.open(partial);
    try {
      for await (const chunk of arriving(session, blob, () => size, options.signal)) {
        take(chunk);
        await file.add(chunk);
        yield chunk;
      }
      await file.flush(true);
    } finally {
      // After a failure that one counts; what cannot be kept is fetched again.
      await file.flush(false).catch(() => {});
      await file.close();
    }
    check();
    await store.blobs.adopt(partial, blob.digest);
  } catch (error) {
    if (error instanceof EngineError && error.kind === "invalid") await dropPartial(store, blob.digest);
    throw error;
  } finally {
    if (isShared) await rm(shared, { force: true });
  }
}

function partialPath(store: ImageStore, digest: string): string {
  return join(store.paths.ingest, `sha256-${hexOf(digest)}.part`);
}

/** Whether an earlier download left something to go on with. */
export async function hasPartial(store: ImageStore, digest: string): Promise<boolean> {
  return ((await stat(partialPath(store, digest)).catch(() => undefined))?.size ?? 0) > 0;
}

export async function dropPartial(store: ImageStore, digest: string): Promise<void> {
  await rm(partialPath(store, digest), { force: true });
}

async function* kept(partial: string, limit: number): AsyncGenerator<Buffer> {
  const have = await stat(partial).catch(() => undefined);
  if (have === undefined || have.size === 0) return;
  if (have.size > limit) {
    await rm(partial);
    return;
  }
  yield* createReadStream(partial, { highWaterMark: 1 << 20 });
}

/** The bytes from `at()` on, over as many connections as it takes. */
async function* arriving(
  session: RegistrySession,
  blob: Descriptor,
  at: () => number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let fruitless = 0;
  while (at() < blob.size) {
    const begun = { at: at(), skip: 0 };
    const response = await retry(() => begin(session, blob, begun), signal === undefined ? {} : { signal });
    try {
      for await (const piece of response) {
        const chunk = piece as Buffer;
        // The server began anew: what is here already is passed over.
        const skipped = Math.min(begun.skip, chunk.length);
        begun.skip -= skipped;
        if (skipped < chunk.length) yield chunk.subarray(skipped);
      }
    } catch (error) {
      if (signal?.aborted || error instanceof EngineError) throw error;
      // Nothing new came over this connection: that counts as a failed try.
      fruitless = at() === begun.at ? fruitless + 1 : 0;
      if (fruitless >= TRIES) throw new Transient("the connection was cut", undefined, { cause: error });
      if (fruitless > 0) await pauseAfter(fruitless, undefined, signal);
    } finally {
      response.destroy();
    }
  }
}

async function begin(
  session: RegistrySession,
  blob: Descriptor,
  begun: { at: number; skip: number },
): Promise<IncomingMessage> {
  const response = await session.blob(blob, begun.at);
  if (response.statusCode === PARTIAL) {
    const start = Number(/^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1] ?? Number.NaN);
    if (start !== begun.at) {
      response.destroy();
      throw new EngineError(
        "invalid",
        `the registry answers with another range of ${blob.digest} than was asked for`,
      );
    }
    begun.skip = 0;
    return response;
  }
  if (response.statusCode === 416) {
    response.destroy();
    throw new EngineError("invalid", `the registry has fewer bytes of ${blob.digest} than its manifest says`);
  }
  begun.skip = begun.at;
  return response;
}
