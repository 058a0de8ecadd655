/**
 * One connection to the native program: a request, its first answer, then frames. Sockets of the
 * program are pathname sockets whose paths may be longer than the kernel's 107 bytes.
 */
import { closeSync, constants, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { basename, dirname } from "node:path";
import { getSystemErrorName } from "node:util";
import { type Frame, FrameReader, frameType } from "./wire.ts";

const longestPath = 107;

/** An operation failed in the native program. */
export class NativeError extends Error {
  override readonly name = "NativeError";
  /** The position in the request's list, undefined if it was none of them. */
  readonly index: number | undefined;
  /** The name of the errno value, such as ENOENT; "" if there was none. */
  readonly code: string;
  readonly errno: number;

  constructor(message: string, index: number | undefined, errno: number) {
    super(message);
    this.index = index;
    this.errno = errno;
    this.code = errno === 0 ? "" : errorName(errno);
  }
}

function errorName(errno: number): string {
  try {
    return getSystemErrorName(-errno);
  } catch {
    return `E${errno}`;
  }
}

/** @param payload u32 operation or ~0 | u32 errno | text */
export function decodeError(payload: Buffer): NativeError {
  const index = payload.readUInt32LE(0);
  return new NativeError(
    payload.toString("utf8", 8),
    index === 0xffffffff ? undefined : index,
    payload.readUInt32LE(4),
  );
}

/** @returns a connected socket @throws the error of connect(2), such as ENOENT or ECONNREFUSED where nobody listens */
export function connectPath(path: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  let directory: number | undefined;
  let name = path;
  try {
    if (Buffer.byteLength(path) > longestPath) {
      directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
      name = `/proc/self/fd/${directory}/${basename(path)}`;
    }
    const socket = connect(name);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  } catch (error) {
    reject(error);
  }
  // connect(2) of a pathname socket is done by the time node:net's connect returns or has failed.
  void promise
    .catch(() => undefined)
    .finally(() => {
      if (directory !== undefined) closeSync(directory);
    });
  return promise;
}

/** A connection whose frames arrive one after the other at a handler. */
export class Connection {
  readonly socket: Socket;
  readonly #reader = new FrameReader();
  #onFrame: (frame: Frame) => void = () => undefined;
  #onEnd: () => void = () => undefined;
  #ended = false;
  /** Resolves once the other side has gone. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.on("data", (chunk: Buffer) => this.#push(chunk));
    const end = (): void => {
      if (this.#ended) return;
      this.#ended = true;
      this.#onEnd();
      resolve();
    };
    // The reason of a broken connection adds nothing: what matters is that no answer will come.
    socket.on("error", end);
    socket.on("close", end);
  }

  /**
   * Sends a request and waits for its first answer.
   *
   * @param onFrame called with every frame after that answer
   * @returns the connection and the answer's payload
   * @throws {NativeError} if the answer is an error; EPIPE if none came
   */
  static async open(
    socket: Socket,
    request: Buffer,
    onFrame: (frame: Frame) => void = () => undefined,
  ): Promise<{ readonly connection: Connection; readonly payload: Buffer }> {
    const connection = new Connection(socket);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    connection.#onEnd = () => reject(new NativeError("the native program went away", undefined, 32));
    connection.#onFrame = (frame) => {
      connection.#onFrame = onFrame;
      connection.#onEnd = () => undefined;
      if (frame.type === frameType.ok) resolve(Buffer.from(frame.payload));
      else if (frame.type === frameType.error) reject(decodeError(frame.payload));
      else reject(new NativeError(`an answer of type ${frame.type}`, undefined, 71));
    };
    socket.write(request);
    try {
      return { connection, payload: await promise };
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #push(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#onFrame(frame);
    } catch (error) {
      this.socket.destroy(error as Error);
    }
  }
}
