/** The native program's first process, started with the daemon: it forks for every job. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { Connection } from "./connection.ts";
import { SpawnerDoor } from "./door.ts";
import { encodeRequest, jobKind, type Op, type PrepareOp } from "./protocol.ts";
import type { Frame } from "./wire.ts";

export interface SpawnerOptions {
  /** The native program. */
  readonly program: string;
  /** Where it listens; its directory exists and is the daemon's alone. */
  readonly socket: string;
  /** Called when the spawner ends though close() was not called. */
  readonly onLost?: (reason: string) => void;
}

/** A container that is made and waits for `go`. */
export interface Launched {
  /** The container's first process, in the daemon's PID namespace. */
  readonly pid: number;
  readonly monitorPid: number;
  /** What the readFile operations read, in their order; undefined where there was no such regular file. */
  readonly files: readonly (Buffer | undefined)[];
}

export class Spawner {
  readonly #process: ChildProcess;
  readonly #door: SpawnerDoor;
  #closing = false;

  private constructor(child: ChildProcess, options: SpawnerOptions) {
    this.#process = child;
    this.#door = new SpawnerDoor(options.socket);
    child.once("exit", (code, signal) => {
      if (!this.#closing) options.onLost?.(`the spawner ended with ${signal ?? code}`);
    });
  }

  /** @throws if the program cannot be run or does not come up */
  static async start(options: SpawnerOptions): Promise<Spawner> {
    const child = spawn(options.program, ["spawner", options.socket], { stdio: ["pipe", "pipe", "inherit"] });
    const failed = Promise.withResolvers<never>();
    const fail = (error: Error): void => failed.reject(error);
    const gone = (code: number | null): void => fail(new Error(`${options.program} ended with ${code}`));
    child.once("error", fail);
    child.once("exit", gone);
    await Promise.race([once(child.stdout as NonNullable<typeof child.stdout>, "data"), failed.promise]);
    child.off("error", fail);
    child.off("exit", gone);
    return new Spawner(child, options);
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** Starts a job: its request is written, nothing is read yet. */
  async connect(request: Buffer): Promise<Socket> {
    const socket = await this.#door.open();
    socket.write(request);
    return socket;
  }

  /**
   * Runs a job that is done with its first answer.
   *
   * @returns the answer's payload
   * @throws {NativeError} naming the operation that failed
   */
  async request(kind: number, ops: readonly Op[]): Promise<Buffer> {
    const { connection, payload } = await Connection.open(await this.#door.open(), encodeRequest(kind, ops));
    connection.close();
    return payload;
  }

  /**
   * Makes a container up to the point where its program can start. Its monitor then listens in the
   * run directory and lives on without the daemon. Nothing is left if an operation fails.
   *
   * @param onFrame called with what the monitor says from then on
   * @returns the container, and the connection, by which it is controlled from then on
   * @throws {NativeError} naming the operation that failed
   */
  async launch(
    ops: readonly PrepareOp[],
    onFrame: (frame: Frame) => void,
  ): Promise<{ readonly launched: Launched; readonly connection: Connection }> {
    return launchBy(await this.#door.open(), ops, onFrame);
  }

  /** Ends the spawner. Monitors and jobs go on. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#door.close();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.stdin?.end();
    await ended;
  }
}

/** Launches a container by a connection to a spawner; see Spawner.launch(). */
export async function launchBy(
  socket: Socket,
  ops: readonly PrepareOp[],
  onFrame: (frame: Frame) => void,
): Promise<{ readonly launched: Launched; readonly connection: Connection }> {
  const { connection, payload } = await Connection.open(socket, encodeRequest(jobKind.run, ops), onFrame);
  return { launched: decodeLaunched(payload), connection };
}

const absent = 0xffffffff;

/** @param payload u32 pid | u32 monitor | u32 files, each u32 length or ~0 | bytes */
function decodeLaunched(payload: Buffer): Launched {
  const files: (Buffer | undefined)[] = [];
  let at = 12;
  for (let left = payload.readUInt32LE(8); left > 0; left--) {
    const length = payload.readUInt32LE(at);
    at += 4;
    if (length === absent) files.push(undefined);
    else files.push(payload.subarray(at, (at += length)));
  }
  return { pid: payload.readUInt32LE(0), monitorPid: payload.readUInt32LE(4), files };
}
