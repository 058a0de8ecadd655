import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import { isTransient, pauseAfter, retry, TRIES, Transient, transientStatus } from "./retry.ts";
import type { RegistrySession } from "./session.ts";

/** A blob to be sent. */
export interface Outgoing {
  readonly digest: string;
  readonly size: number;
  /** Its bytes from one on, up to the end or to another one. */
  open(start: number, end?: number): AsyncIterable<Buffer>;
}

export interface UploadOptions {
  readonly signal?: AbortSignal;
  /** Bytes of it that are sent by now. */
  sent?(bytes: number): void;
}

const CREATED = 201;
const ACCEPTED = 202;
const NO_CONTENT = 204;
const UNAUTHORIZED = 401;
const TOO_LARGE = 413;
const OTHER_RANGE = 416;

/** Below it a cut connection is not worth asking how much arrived. Bytes. */
const SMALL = 1 << 20;
/** What a registry that takes no whole blob in one request is sent at a time. Bytes. */
const CHUNK = 16 << 20;

/**
 * Sends a blob: a small one in one request, a larger one as a stream that is taken up where the registry says it was cut,
 * or in chunks where it takes no more at a time.
 */
export async function upload(
  session: RegistrySession,
  blob: Outgoing,
  options: UploadOptions = {},
): Promise<void> {
  const attempts = options.signal === undefined ? {} : { signal: options.signal };
  if (blob.size <= SMALL) await retry(() => sendWhole(session, blob, options), attempts);
  else await sendResumably(session, blob, options);
}

async function sendWhole(session: RegistrySession, blob: Outgoing, options: UploadOptions): Promise<void> {
  const { place } = await begin(session, blob);
  const pieces: Buffer[] = [];
  for await (const piece of blob.open(0)) pieces.push(piece);
  const body = Buffer.concat(pieces);
  await finish(session, place, blob, body);
  options.sent?.(body.length);
}

interface Upload {
  /** Where the next request goes; each answer names it anew. */
  readonly place: string;
  readonly at: number; // bytes that arrived
  readonly chunk: number; // most bytes of one request
}

async function sendResumably(
  session: RegistrySession,
  blob: Outgoing,
  options: UploadOptions,
): Promise<void> {
  let upload = await retry(() => begin(session, blob), signalOf(options));
  for (let fruitless = 0; upload.at < blob.size; ) {
    const before = upload.at;
    try {
      upload = await sendPart(session, upload, blob, options);
    } catch (error) {
      if (options.signal?.aborted || !isTransient(error) || fruitless >= TRIES) throw error;
      await pauseAfter(fruitless + 1, error instanceof Transient ? error.pause : undefined, options.signal);
      upload = await resume(session, upload, blob, options);
    }
    fruitless = upload.at > before ? 0 : fruitless + 1;
    if (fruitless > TRIES) throw new EngineError("system", `the registry takes nothing of ${blob.digest}`);
  }
  await retry(() => finish(session, upload.place, blob, undefined), signalOf(options));
}

async function begin(session: RegistrySession, { digest }: Outgoing): Promise<Upload> {
  const begun = await session.write({ method: "POST", path: "blobs/uploads/" });
  if (begun.statusCode !== ACCEPTED) throw await session.failure(begun, `upload of ${digest}`);
  begun.resume();
  return { place: locationOf(begun), at: 0, chunk: Number.POSITIVE_INFINITY };
}

/** One request with as much as it may hold. */
async function sendPart(
  session: RegistrySession,
  { place, at, chunk }: Upload,
  blob: Outgoing,
  options: UploadOptions,
): Promise<Upload> {
  const end = Math.min(blob.size, at + chunk);
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": String(end - at),
    "content-range": `${at}-${end - 1}`,
  };
  const response = await session.write({
    method: "PATCH",
    path: place,
    headers,
    body: counted(blob, at, end, options),
  });
  const { statusCode = 0 } = response;
  if (statusCode === ACCEPTED || statusCode === NO_CONTENT) {
    response.resume();
    return { place: locationOf(response), at: end, chunk };
  }
  if (statusCode === TOO_LARGE && end - at > CHUNK) {
    response.resume();
    const least = Number(response.headers["oci-chunk-min-length"] ?? 0);
    return { ...(await begin(session, blob)), chunk: Math.max(CHUNK, least) };
  }
  // A token that ran out, or another idea of what arrived: both are settled by asking.
  if (statusCode === UNAUTHORIZED || statusCode === OTHER_RANGE) {
    response.resume();
    throw new Transient(`upload of ${blob.digest}: status ${statusCode}`, 0);
  }
  const passing = transientStatus(statusCode, response.headers["retry-after"], `upload of ${blob.digest}`);
  if (passing === undefined) throw await session.failure(response, `upload of ${blob.digest}`);
  response.resume();
  throw passing;
}

/** Asks how much arrived; where the registry has forgotten, or lost count, it begins anew. */
async function resume(
  session: RegistrySession,
  upload: Upload,
  blob: Outgoing,
  options: UploadOptions,
): Promise<Upload> {
  return retry(async () => {
    const response = await session.write({ method: "GET", path: upload.place });
    response.resume();
    const last = /^(?:bytes=)?0-(\d+)$/.exec(response.headers["range"] ?? "")?.[1];
    if (response.statusCode !== NO_CONTENT || last === undefined)
      return { ...(await begin(session, blob)), chunk: upload.chunk };
    // "0-0" also stands for nothing at all.
    const at = last === "0" ? 0 : Number(last) + 1;
    const place = response.headers.location ?? upload.place;
    if (at === 0 || at > blob.size) return { ...(await begin(session, blob)), chunk: upload.chunk };
    return { place, at, chunk: upload.chunk };
  }, signalOf(options));
}

async function finish(
  session: RegistrySession,
  place: string,
  { digest }: Outgoing,
  body: Buffer | undefined,
): Promise<void> {
  const headers = { "content-type": "application/octet-stream", "content-length": String(body?.length ?? 0) };
  const path = withDigest(place, digest);
  const done = await session.write({ method: "PUT", path, headers, ...(body && { body }) });
  if (done.statusCode !== CREATED) throw await session.failure(done, `upload of ${digest}`);
  done.resume();
}

function counted(blob: Outgoing, start: number, end: number, options: UploadOptions): Readable {
  async function* pass(): AsyncGenerator<Buffer> {
    let sent = start;
    for await (const piece of blob.open(start, end)) {
      sent += piece.length;
      options.sent?.(sent);
      yield piece;
    }
  }
  return Readable.from(pass(), { objectMode: false, highWaterMark: 1 << 20 });
}

function signalOf({ signal }: UploadOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** @throws {EngineError} system */
export function locationOf(response: IncomingMessage): string {
  const { location } = response.headers;
  if (location === undefined) throw new EngineError("system", "the registry names no place for an upload");
  return location;
}

/** The place may carry a query of its own. */
function withDigest(location: string, digest: string): string {
  return `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
}
