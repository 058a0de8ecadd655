import { mkdir, rm } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import { NativeError } from "../native/connection.ts";
import { Monitor, type MonitorEvents } from "../native/monitor.ts";
import type { Spawner } from "../native/spawner.ts";
import { ensureParent } from "./cgroups/parent.ts";
import type { Host } from "./host.ts";
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
  readonly #host: Host;
  readonly #parents = new Map<string, Promise<void>>();

  constructor(spawner: Spawner, host: Host) {
    this.#spawner = spawner;
    this.#host = host;
  }

  /** @throws {EngineError} system, saying which part could not be set up; nothing is left of the container then */
  async launch(spec: Spec, events: MonitorEvents = {}): Promise<Launch> {
    await this.#parent(spec.cgroup.path);
    await mkdir(spec.runDir, { recursive: true, mode: 0o700 });
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

  /** A container's cgroup is below a parent that has to be able to hold it. */
  async #parent(path: string): Promise<void> {
    const parent = path.slice(0, path.lastIndexOf("/"));
    const known = this.#parents.get(parent);
    if (known !== undefined) return known;
    const made = ensureParent(this.#host.cgroups, parent);
    this.#parents.set(parent, made);
    made.catch(() => this.#parents.delete(parent));
    return made;
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
  const exec = (why: string): string =>
    `${start}: runc create failed: unable to start container process: exec: ${quoted}: ${why}: unknown`;
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
