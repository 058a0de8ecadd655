import { rm } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import { NativeError } from "../native/connection.ts";
import { Monitor, type MonitorEvents } from "../native/monitor.ts";
import type { Spawner } from "../native/spawner.ts";
import { type ProcessSpec, prepareOps, processOps, type Spec } from "./operations.ts";

/** A container that is made, whose program has not been started. */
export interface Launch {
  readonly pid: number;
  readonly monitorPid: number;
  readonly monitor: Monitor;
  /** The container's own; empty if it has none. */
  readonly passwd: Uint8Array;
  readonly group: Uint8Array;
}

/** Makes containers from specs. Knows no records, images or networks. */
export class Launcher {
  readonly #spawner: Spawner;

  constructor(spawner: Spawner) {
    this.#spawner = spawner;
  }

  /** @throws {EngineError} system, saying which part could not be set up; nothing is left of the container then */
  async launch(spec: Spec, events: MonitorEvents = {}): Promise<Launch> {
    try {
      const ops = prepareOps(spec) as Parameters<Spawner["launch"]>[0];
      const { launched, monitor } = await Monitor.launch(this.#spawner, spec.runDir, ops, events);
      const [passwd = NOTHING, group = NOTHING] = launched.files;
      return { pid: launched.pid, monitorPid: launched.monitorPid, monitor, passwd, group };
    } catch (error) {
      await rm(spec.runDir, { recursive: true, force: true });
      throw error instanceof NativeError ? setupFailed(error) : error;
    }
  }
}

/**
 * Starts the program of a launched container.
 *
 * @returns when it began, nanoseconds since 1970
 * @throws {EngineError} invalid, with the words that clients search for, if the program cannot be run
 */
export async function startProgram(monitor: Monitor, process: ProcessSpec): Promise<bigint> {
  try {
    return await monitor.go(processOps(process));
  } catch (error) {
    throw error instanceof NativeError ? programFailed(error, process) : error;
  }
}

/** What a shell would return for a program that could not be started: 127 not found, 126 not executable. */
export function startExitCode(error: unknown): number {
  const cause = error instanceof EngineError ? error.cause : error;
  if (!(cause instanceof NativeError)) return 128;
  if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return 127;
  return 126;
}

function programFailed(error: NativeError, process: ProcessSpec): EngineError {
  const why = whyNotStarted(error, process);
  return new EngineError(
    "invalid",
    `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${why}: unknown`,
    { cause: error },
  );
}

/** Clients derive the exit codes 127 and 126 from these very words. */
export function whyNotStarted(error: NativeError, process: ProcessSpec): string {
  const failed = error.index === undefined ? undefined : processOps(process)[error.index];
  if (failed?.op === "cwd") {
    return `chdir to cwd (${JSON.stringify(process.cwd)}) set in config.json failed: ${errnoText(error)}`;
  }
  // A limit, the keyring: something before the program itself.
  if (failed !== undefined && failed.op !== "argv") return error.message;
  const [program = ""] = process.argv;
  const exec = `exec: ${JSON.stringify(program)}`;
  if (error.code === "ENOENT" && !program.includes("/")) return `${exec}: executable file not found in $PATH`;
  if (error.code === "ENOENT") return `${exec}: stat ${program}: no such file or directory`;
  return `${exec}: ${errnoText(error)}`;
}

/** As Go prints it: clients search for some of these. */
function errnoText(error: NativeError): string {
  return ERRNO_TEXTS[error.code] ?? error.message;
}

const ERRNO_TEXTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  ENOENT: "no such file or directory",
  ENOEXEC: "exec format error",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
};

function setupFailed(error: NativeError): EngineError {
  return new EngineError("system", `container set-up failed: ${error.message}`, { cause: error });
}

const NOTHING = new Uint8Array();
