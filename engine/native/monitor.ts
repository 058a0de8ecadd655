/**
 * The daemon's side of a container's monitor, the process that holds the container's stdio, log and
 * exit status and outlives the daemon. Each Monitor is one control connection; attach, exec and
 * follow make further ones.
 */
import { readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Connection, connectPath, decodeError } from "./connection.ts";
import { encodeProcess, encodeRequest, jobKind, type PrepareOp, type ProcessOp } from "./protocol.ts";
import type { Launched, Spawner } from "./spawner.ts";
import { encodeFrame, type Frame, frameType } from "./wire.ts";

export interface ExitRecord {
  /** The exit code, or 128 + signal. */
  readonly code: number;
  /** 0 if it ended by itself. */
  readonly signal: number;
  /** The kernel killed something in the container for want of memory. */
  readonly oom: boolean;
  /** Nanoseconds since 1970. */
  readonly finishedAt: bigint;
}

/** What a monitor leaves of its container. */
export interface LeftRecord extends ExitRecord {
  /** Nanoseconds since 1970; 0 if the program never ran. */
  readonly startedAt: bigint;
}

export type MonitorState = "created" | "running" | "exited";
const states: readonly MonitorState[] = ["created", "running", "exited"];

export interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** Where a session's output goes. */
export interface Output {
  /** @param stream "stdout" also for a terminal. Returning false pauses the session until resume() is called. */
  data(stream: "stdout" | "stderr", chunk: Buffer): boolean;
}

export interface MonitorEvents {
  /** The kernel killed something in the container for want of memory. */
  readonly onOom?: () => void;
  /** A log file was full, and another was begun. */
  readonly onRotated?: () => void;
}

export class Monitor {
  readonly runDir: string;
  /** The container's first process, in the daemon's PID namespace. */
  readonly pid: number;
  /** The state when this connection was made. */
  readonly state: MonitorState;
  /** When the program began, nanoseconds since 1970; 0 if it had not when this connection was made. */
  readonly startedAt: bigint;
  /** Resolves when the container has exited; with undefined if the monitor went away without saying so. */
  readonly exited: Promise<ExitRecord | undefined>;
  readonly #connection: Connection;
  readonly #answers: Answers;

  private constructor(
    runDir: string,
    connection: Connection,
    answers: Answers,
    { pid, state, startedAt }: Pick<Monitor, "pid" | "state" | "startedAt">,
  ) {
    this.runDir = runDir;
    this.pid = pid;
    this.state = state;
    this.startedAt = startedAt;
    this.#connection = connection;
    this.#answers = answers;
    void connection.closed.then(() => answers.lost());
    this.exited = answers.exited.promise;
  }

  /**
   * Makes a container that waits for go(), and its monitor.
   *
   * @param ops begin with `monitor`, which has this runDir
   * @throws {NativeError} naming the operation that failed; nothing is left then
   */
  static async launch(
    spawner: Pick<Spawner, "launch">,
    runDir: string,
    ops: readonly PrepareOp[],
    events: MonitorEvents = {},
  ): Promise<{ readonly monitor: Monitor; readonly launched: Launched }> {
    const answers = new Answers(events);
    const { launched, connection } = await spawner.launch(ops, (frame) => answers.take(frame));
    const { pid } = launched;
    return {
      launched,
      monitor: new Monitor(runDir, connection, answers, { pid, state: "created", startedAt: 0n }),
    };
  }

  /** @throws ENOENT or ECONNREFUSED if no monitor listens there: then see readExit() */
  static async open(runDir: string, events: MonitorEvents = {}): Promise<Monitor> {
    const answers = new Answers(events);
    const { connection, payload } = await Connection.open(
      await connectPath(socketPath(runDir)),
      encodeRequest(jobKind.control, []),
      (frame) => answers.take(frame),
    );
    const [pid, state] = [payload.readUInt32LE(0), states[payload.readUInt32LE(4)] ?? "exited"];
    // The monitor of an older engine does not say.
    const startedAt = payload.length < 16 ? 0n : payload.readBigUInt64LE(8);
    return new Monitor(runDir, connection, answers, { pid, state, startedAt });
  }

  /**
   * Starts the container's program, once.
   *
   * @returns when it began, nanoseconds since 1970
   * @throws {NativeError} with execve's errno (ENOENT, EACCES, …) or a failed operation's; the container then exits
   */
  async go(ops: readonly ProcessOp[]): Promise<bigint> {
    const payload = await this.#ask(frameType.go, encodeProcess(ops));
    return payload.readBigUInt64LE(4);
  }

  /** Sends a signal to the container's first process. @throws {NativeError} ESRCH if it has exited */
  async signal(signal: number): Promise<void> {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32LE(signal);
    await this.#ask(frameType.signal, payload);
  }

  /** Sets the size of the container's terminal. */
  async resize(rows: number, columns: number): Promise<void> {
    await this.#ask(frameType.resize, sizePayload(rows, columns));
  }

  attach(streams: Streams, output: Output): Promise<Session> {
    return Session.open(this.runDir, encodeRequest(jobKind.attach, [{ op: "attach", ...streams }]), output);
  }

  /**
   * Runs a further program in the container.
   *
   * @throws {NativeError} with execve's errno or a failed operation's
   */
  exec(ops: readonly ProcessOp[], output: Output): Promise<Session> {
    return Session.open(this.runDir, encodeRequest(jobKind.exec, ops), output);
  }

  /**
   * Calls `onGrew` when the log has grown or was rotated, several changes at once if they come fast.
   *
   * @returns a function that ends it, and a promise of the monitor's end
   */
  async follow(onGrew: (rotated: boolean) => void): Promise<{ stop(): void; readonly ended: Promise<void> }> {
    const { connection } = await Connection.open(
      await connectPath(socketPath(this.runDir)),
      encodeRequest(jobKind.follow, []),
      (frame) => {
        if (frame.type === frameType.grew) onGrew(frame.payload.readUInt32LE(0) !== 0);
      },
    );
    return { stop: () => connection.close(), ended: connection.closed };
  }

  /** Lets go of the monitor. The container goes on. */
  close(): void {
    this.#connection.close();
  }

  #ask(type: number, payload: Buffer): Promise<Buffer> {
    const answer = this.#answers.next();
    this.#connection.socket.write(encodeFrame(type, payload));
    return answer;
  }
}

/** Answers come in the order of what was asked; exit and oom come by themselves. */
class Answers {
  readonly exited = Promise.withResolvers<ExitRecord | undefined>();
  readonly #waiting: PromiseWithResolvers<Buffer>[] = [];
  readonly #events: MonitorEvents;
  #gone = false;

  constructor(events: MonitorEvents) {
    this.#events = events;
  }

  next(): Promise<Buffer> {
    const answer = Promise.withResolvers<Buffer>();
    if (this.#gone) answer.reject(gone());
    else this.#waiting.push(answer);
    return answer.promise;
  }

  take(frame: Frame): void {
    if (frame.type === frameType.ok) this.#waiting.shift()?.resolve(frame.payload);
    else if (frame.type === frameType.error) this.#waiting.shift()?.reject(decodeError(frame.payload));
    else if (frame.type === frameType.exit) this.exited.resolve(decodeExit(frame.payload));
    else if (frame.type === frameType.oom) this.#events.onOom?.();
    else if (frame.type === frameType.grew) this.#events.onRotated?.();
  }

  lost(): void {
    this.#gone = true;
    for (const answer of this.#waiting.splice(0)) answer.reject(gone());
    this.exited.resolve(undefined);
  }
}

function gone(): Error {
  return Object.assign(new Error("the container's monitor has gone"), { code: "ESRCH" });
}

/** Stdio of the container's program or of an exec. */
export class Session {
  /** The exec'd program in the daemon's PID namespace; 0 of an attach. */
  readonly pid: number;
  /** Resolves at the end of all output; with undefined if the monitor went away. */
  readonly exited: Promise<ExitRecord | undefined>;
  readonly #connection: Connection;

  private constructor(connection: Connection, pid: number, exited: Promise<ExitRecord | undefined>) {
    this.#connection = connection;
    this.pid = pid;
    this.exited = exited;
  }

  static async open(runDir: string, request: Buffer, output: Output): Promise<Session> {
    const exited = Promise.withResolvers<ExitRecord | undefined>();
    const socket = await connectPath(socketPath(runDir));
    const { connection, payload } = await Connection.open(socket, request, (frame) => {
      if (frame.type === frameType.exit) exited.resolve(decodeExit(frame.payload));
      else if (frame.type === frameType.stdout || frame.type === frameType.stderr) {
        const stream = frame.type === frameType.stdout ? "stdout" : "stderr";
        if (!output.data(stream, frame.payload)) socket.pause();
      }
    });
    void connection.closed.then(() => exited.resolve(undefined));
    return new Session(connection, payload.length >= 4 ? payload.readUInt32LE(0) : 0, exited.promise);
  }

  /** @returns false if the caller should wait for `drained()` before it writes more */
  write(chunk: Uint8Array): boolean {
    return chunk.length === 0 || this.#connection.socket.write(encodeFrame(frameType.stdin, chunk));
  }

  async drained(): Promise<void> {
    const { socket, closed } = this.#connection;
    if (!socket.writableNeedDrain || socket.destroyed) return;
    const drain = Promise.withResolvers<void>();
    socket.once("drain", drain.resolve);
    await Promise.race([drain.promise, closed]);
    socket.off("drain", drain.resolve);
  }

  /** Closes the program's stdin once all that was written has been read. */
  endInput(): void {
    this.#connection.socket.write(encodeFrame(frameType.stdin));
  }

  /** Sends a signal to an exec'd program; it may have ended already. */
  signal(signal: number): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32LE(signal);
    this.#connection.socket.write(encodeFrame(frameType.signal, payload));
  }

  resize(rows: number, columns: number): void {
    this.#connection.socket.write(encodeFrame(frameType.resize, sizePayload(rows, columns)));
  }

  /** Goes on after Output.data() returned false. */
  resume(): void {
    this.#connection.socket.resume();
  }

  /** Lets go of the streams. The program goes on. */
  close(): void {
    this.#connection.close();
  }
}

/** @returns the record that the monitor left in `stateDir`, undefined if there is none */
export async function readExit(stateDir: string): Promise<LeftRecord | undefined> {
  const path = join(stateDir, "exit");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    // On a full disk the record is a link that leads nowhere: its target is the line.
    return readlink(path).then(
      (line) => `${line}\n`,
      () => undefined,
    );
  });
  const match = text?.match(/^(\d+) (\d+) ([01]) (\d+)(?: (\d+))?\n$/);
  if (!match) return undefined;
  const [, code, signal, oom, finishedAt, startedAt] = match;
  return {
    code: Number(code),
    signal: Number(signal),
    oom: oom === "1",
    finishedAt: BigInt(finishedAt ?? 0),
    startedAt: BigInt(startedAt ?? 0),
  };
}

function socketPath(runDir: string): string {
  return join(runDir, "monitor.sock");
}

/** @param payload u32 code | u32 signal | u32 oom | u64 nanoseconds */
function decodeExit(payload: Buffer): ExitRecord {
  return {
    code: payload.readUInt32LE(0),
    signal: payload.readUInt32LE(4),
    oom: payload.readUInt32LE(8) !== 0,
    finishedAt: payload.readBigUInt64LE(12),
  };
}

function sizePayload(rows: number, columns: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt16LE(rows, 0);
  payload.writeUInt16LE(columns, 2);
  return payload;
}
