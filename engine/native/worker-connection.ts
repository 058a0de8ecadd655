import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { EngineError, type ErrorKind } from "../errors.ts";
import { decodeError, NativeError } from "./connection.ts";
import { type Frame, FrameReader, frameType } from "./wire.ts";

/** Frames of workers beside those of wire.ts. @see native/source.h */
const DATA = 40;
const END = 41;

/** Below the native side's buffer of 1 MiB; large enough that a frame's head costs nothing. */
const PIECE = 256 * 1024;

/** By errno, because libuv has no names for some of them. */
const KINDS: ReadonlyMap<number, ErrorKind> = new Map([
  [2, "notFound"], // ENOENT
  [7, "invalid"], // E2BIG: more entries, bytes or attributes than allowed
  [20, "invalid"], // ENOTDIR
  [21, "invalid"], // EISDIR
  [22, "invalid"], // EINVAL
  [27, "invalid"], // EFBIG
  [36, "invalid"], // ENAMETOOLONG
  [40, "invalid"], // ELOOP
  [74, "invalid"], // EBADMSG: a broken or hostile archive
  [75, "invalid"], // EOVERFLOW
]);

/** Says a worker's failure in the engine's terms; its errno stays readable as `cause.code`. */
export function workerError(error: unknown): Error {
  if (!(error instanceof NativeError)) return error as Error;
  return new EngineError(KINDS.get(error.errno) ?? "system", error.message, { cause: error });
}

/**
 * Frames from a worker, one at a time, taken from the socket only as fast as they are used.
 *
 * @param streamed a type whose payloads need not be whole: they are passed on as they come
 */
export async function* frames(socket: Socket, streamed?: number): AsyncGenerator<Frame> {
  const reader = new FrameReader(streamed);
  for await (const chunk of socket) yield* reader.push(chunk as Buffer);
}

/** Takes what a worker streams beside its answer; it is read on when this resolves. */
export type Listen = (payload: Buffer) => Promise<void>;

/** The first answer of a job. @throws EngineError what the worker says, or `system` if it went away */
export async function answer(socket: Socket, listen?: Listen): Promise<Buffer> {
  try {
    for await (const frame of frames(socket)) {
      if (frame.type === frameType.ok) return Buffer.from(frame.payload);
      if (frame.type === frameType.error) throw workerError(decodeError(frame.payload));
      if (frame.type === DATA) await listen?.(frame.payload);
    }
  } catch (error) {
    throw error instanceof EngineError
      ? error
      : new EngineError("system", "a worker went away", { cause: error });
  } finally {
    socket.destroy();
  }
  throw new EngineError("system", "a worker went away without an answer");
}

export interface FeedOptions {
  readonly listen?: Listen | undefined;
  /** Nobody else looks at the stream's buffers: each is freed as soon as it is sent. */
  readonly ownBuffers?: boolean | undefined;
}

/**
 * Sends a stream to a worker as frames and waits for its answer, which may come before the stream's end if the
 * worker gives up.
 */
export async function feed(
  socket: Socket,
  source: AsyncIterable<Buffer>,
  options: FeedOptions = {},
): Promise<Buffer> {
  const result = answer(socket, options.listen);
  const sent = send(socket, source, options.ownBuffers);
  // The answer decides; a write to a worker that has gone says less about why than its answer does.
  sent.catch(() => {});
  try {
    return await Promise.race([result, sent.then(() => result)]);
  } catch (error) {
    const why = await Promise.race([
      result.then(
        () => undefined,
        (reason: unknown) => reason,
      ),
      failureOf(sent),
    ]);
    // What is no stream ends when it is next asked for a piece.
    if (source instanceof Readable) source.destroy();
    socket.destroy();
    result.catch(() => {});
    throw why ?? error;
  }
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return await new Promise(() => {});
  } catch (error) {
    return error;
  }
}

/** @param ownBuffers @see FeedOptions */
export async function send(socket: Socket, source: AsyncIterable<Buffer>, ownBuffers = false): Promise<void> {
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      if (socket.destroyed) return;
      const isLast = at + PIECE >= bytes.length;
      socket.cork();
      socket.write(head(DATA, piece.length));
      const room = socket.write(piece, ownBuffers && isLast ? () => free(bytes) : undefined);
      socket.uncork();
      if (!room && !(await drained(socket))) return;
    }
  }
  if (!socket.destroyed) socket.write(head(END, 0));
}

/**
 * Gives memory back at once. Left to the collector, the buffers of a large stream make it run every few milliseconds:
 * a quarter of the time that a pull takes. An inflater's buffer goes on in several chunks, of which the last one ends it.
 */
function free(chunk: Buffer): void {
  const { buffer, byteOffset, length } = chunk;
  const isPooled = buffer.byteLength <= Buffer.poolSize;
  if (!isPooled && byteOffset + length === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}

/** @returns false if the other side has gone instead */
function drained(socket: Socket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const settle = (): void => {
    socket.off("drain", settle).off("close", settle).off("error", settle);
    resolve(!socket.destroyed);
  };
  socket.once("drain", settle).once("close", settle).once("error", settle);
  if (socket.destroyed) settle();
  return promise;
}

function head(type: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(5);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt32LE(size, 1);
  return bytes;
}

/** What a worker streams: its DATA payloads; ends at END, whose payload `done` is given. */
export async function* pieces(socket: Socket, done?: (payload: Buffer) => void): AsyncGenerator<Buffer> {
  let ended = false;
  try {
    for await (const frame of frames(socket, DATA)) {
      if (frame.type === DATA) yield frame.payload;
      else if (frame.type === frameType.error) throw workerError(decodeError(frame.payload));
      else if (frame.type === END) {
        ended = true;
        done?.(frame.payload);
        return;
      }
    }
  } finally {
    socket.destroy();
  }
  if (!ended) throw new EngineError("system", "a worker went away in the middle of its work");
}
