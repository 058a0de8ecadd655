/** What containers, and programs run in them, write and read. */
import type { Duplex } from "node:stream";
import type Dockerode from "dockerode";
import type { Abortable, TerminalSize } from "./common.ts";

export interface StreamCalls {
  /** What was logged, and with `follow` what will be, until the container stops or `signal`. Ends quietly on abort. */
  logs(id: string, options?: LogsOptions): AsyncIterable<OutputChunk>;
  /** May be called before the container is started. */
  attach(id: string, options: AttachOptions): Promise<Attachment>;
}

export interface ExecCalls {
  createExec(id: string, options: Dockerode.ExecCreateOptions): Promise<string>;
  /** Runs it, with its streams attached. `tty` must be what `createExec` was told. */
  startExec(
    execId: string,
    options: { readonly tty: boolean; readonly size?: TerminalSize },
  ): Promise<Attachment>;
  startExecDetached(execId: string): Promise<void>;
  inspectExec(execId: string): Promise<Dockerode.ExecInspectInfo>;
  resizeExec(execId: string, size: TerminalSize): Promise<void>;
}

export interface LogsOptions extends Abortable {
  readonly follow?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** Seconds since 1970 (with a fraction), as text or number. */
  readonly since?: string | number;
  readonly until?: string | number;
  readonly timestamps?: boolean;
  /** A number of lines; absent means all. */
  readonly tail?: number | "all";
  /** Whether the container has a terminal; asked of the engine where absent. */
  readonly tty?: boolean;
}

export interface OutputChunk {
  /** A terminal has only `stdout`. */
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** What was logged before comes first. */
  readonly logs?: boolean;
  /** Whether the container has a terminal: then the output is not framed. */
  readonly tty: boolean;
  readonly detachKeys?: string;
}

/** The streams of a container or an exec. */
export interface Attachment {
  /** Bytes both ways: what is written is its input; `end()` closes that and leaves the output open. */
  readonly connection: Duplex;
  /** The output, taken apart; to be iterated once. Ends when the process does. */
  readonly output: AsyncIterable<OutputChunk>;
}
