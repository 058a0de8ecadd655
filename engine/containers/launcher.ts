import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
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
    await mkdir(spec.runDir, { recursive: true, mode: 0o700 });
    // Of the run before: it must not be taken for this one's.
    await rm(join(spec.stateDir, "exit"), { force: true });
    try {
      const launched = await this.#spawner.launch(prepareOps(spec) as Parameters<Spawner["launch"]>[0]);
      const monitor = await Monitor.open(spec.runDir, events);
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
 * @throws {EngineError} invalid, with the words that clients search for, if the program cannot be run
 */
export async function startProgram(monitor: Monitor, process: ProcessSpec): Promise<void> {
  try {
    await monitor.go(processOps(process));
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

/** Clients derive exit codes 127 and 126 from these very words. */
function programFailed(error: NativeError, process: ProcessSpec): EngineError {
  const [program = ""] = process.argv;
  const quoted = JSON.stringify(program);
  const start = "failed to create task for container: failed to create shim task: OCI runtime create failed";
  const prefix = `${start}: runc create failed: unable to start container process`;
  const exec = (why: string): string => `${prefix}: exec: ${quoted}: ${why}: unknown`;
  // Something before the program itself: a working directory that is not there, a limit.
  if (error.index !== undefined && error.index !== ARGV) {
    return new EngineError("invalid", `${prefix}: ${error.message}: unknown`, { cause: error });
  }
  if (error.code === "ENOENT" && !program.includes("/")) {
    return new EngineError("invalid", exec("executable file not found in $PATH"), { cause: error });
  }
  if (error.code === "ENOENT" || error.code === "ENOTDIR") {
    return new EngineError("invalid", exec(`stat ${program}: no such file or directory`), { cause: error });
  }
  if (error.code === "EACCES") {
    return new EngineError("invalid", exec(`permission denied`), { cause: error });
  }
  return new EngineError("invalid", exec(error.message), { cause: error });
}

function setupFailed(error: NativeError): EngineError {
  return new EngineError("system", `container set-up failed: ${error.message}`, { cause: error });
}

const NOTHING = new Uint8Array();
/** The place of the program among processOps(). */
const ARGV = 0;
