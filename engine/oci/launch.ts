/** The native program as an OCI runtime needs it: one job, with this process's stdio, that outlives it. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { fstatSync } from "node:fs";
import type { Socket } from "node:net";
import { EngineError } from "../errors.ts";
import { Connection, decodeError } from "../native/connection.ts";
import { encodeRequest, jobKind, type Op } from "../native/protocol.ts";
import { encodeFrame, type Frame, frameType } from "../native/wire.ts";

/** What was made: the container's first process, and the one beside it. */
export interface Launched {
  readonly pid: number;
  readonly monitorPid: number;
  /** Waits for the monitor, which ends when the container does, and gives the container's status; not of one that was handed over. */
  exited(): Promise<number>;
}

export interface LaunchOptions {
  /** The native program. */
  readonly program: string;
  /** Descriptors from 3 on that the container's program gets. */
  readonly preserved: number;
  /** Called at the `hold` operation, if there is one, with the first process's pid; gives what later hooks read. */
  readonly onHold: ((pid: number) => Promise<string>) | undefined;
}

const SIGKILL = 9;

/** @throws {NativeError} naming the operation that failed; whatever `onHold` throws; nothing is left then */
export async function launch(ops: readonly Op[], options: LaunchOptions): Promise<Launched> {
  const child = startJob(options.program, options.preserved);
  const ended = once(child, "exit").then(([code]) => (code as number | null) ?? 128 + SIGKILL);
  const rest = Promise.withResolvers<Buffer>();
  rest.promise.catch(() => {}); // It is waited for below, or the first answer has failed.
  const request = encodeRequest(jobKind.run, ops);
  const { connection, payload } = await Connection.open(socketOf(child), request, (frame) =>
    settle(rest, frame),
  );
  void connection.closed.then(() => rest.reject(new EngineError("system", "the native program went away")));
  let answer = payload;
  try {
    if (options.onHold !== undefined) {
      const state = await options.onHold(payload.readUInt32LE(0));
      connection.socket.write(encodeFrame(frameType.go, Buffer.from(state)));
      answer = await rest.promise;
    }
  } catch (error) {
    connection.close(); // It sees that, and takes away what there is.
    await ended;
    throw error;
  }
  connection.close();
  child.unref();
  const exited = (): Promise<number> => {
    child.ref();
    return ended;
  };
  return { pid: answer.readUInt32LE(0), monitorPid: answer.readUInt32LE(4), exited };
}

/**
 * Starts a further program in a container; it becomes a child of this process.
 *
 * @param ops `join`, the container's cgroups, then what the program is started with
 * @returns its pid
 * @throws {NativeError} with execve's errno or a failed operation's
 */
export async function join(program: string, preserved: number, ops: readonly Op[]): Promise<number> {
  const child = startJob(program, preserved);
  const { connection, payload } = await Connection.open(socketOf(child), encodeRequest(jobKind.join, ops));
  connection.close();
  return payload.readUInt32LE(0);
}

/** Its connection is descriptor 3; the preserved ones move up by one. */
function startJob(program: string, preserved: number): ChildProcess {
  const numbers = Array.from({ length: preserved }, (_, index) => 3 + index);
  for (const number of numbers) {
    try {
      fstatSync(number);
    } catch (cause) {
      throw new EngineError("invalid", `--preserve-fds: descriptor ${number} is not open`, { cause });
    }
  }
  const stdio: StdioOptions = ["inherit", "inherit", "inherit", "pipe", ...numbers];
  return spawn(program, ["job", String(preserved)], { stdio });
}

function socketOf(child: ChildProcess): Socket {
  return child.stdio[3] as Socket;
}

function settle(rest: PromiseWithResolvers<Buffer>, frame: Frame): void {
  if (frame.type === frameType.ok) rest.resolve(Buffer.from(frame.payload));
  else rest.reject(decodeError(frame.payload));
}
