/** The commands of an OCI runtime. @see the specification's runtime.md, "Operations"; runc(8) for what it leaves open */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join, resolve } from "node:path";
import { cgroupDirectories } from "../containers/cgroups/operations.ts";
import { inspectHost } from "../containers/host.ts";
import { freezeGroup } from "../containers/pause.ts";
import { signalNumber } from "../containers/signals.ts";
import { EngineError, messageOf } from "../errors.ts";
import { Connection } from "../native/connection.ts";
import { Monitor } from "../native/monitor.ts";
import { encodeRequest, jobKind } from "../native/protocol.ts";
import { cgroupPath, prepareBundle, processOfBundle } from "./compile.ts";
import { readConfig } from "./config.ts";
import { type ExecOptions, execIn } from "./exec.ts";
import { runHooks } from "./hooks.ts";
import { type OciRecord, OciStore, stateOf } from "./state.ts";

export interface RuntimeOptions {
  /** The directory of the runtime's own state. */
  readonly root: string;
  /** The native program. */
  readonly program: string;
}

export interface CreateOptions {
  readonly bundle: string;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
}

/** What was made: the container's first process, and the one beside it, which ends when the container does. */
export interface Launched {
  readonly pid: number;
  readonly monitorPid: number;
  /** Waits for the container, and gives its status. */
  exited(): Promise<number>;
}

const SIGKILL = 9;

export class Runtime {
  readonly #store: OciStore;
  readonly #program: string;

  constructor(options: RuntimeOptions) {
    this.#store = new OciStore(options.root);
    this.#program = options.program;
  }

  /**
   * Makes a container, whose program waits for `start`. It has the caller's stdio.
   *
   * @returns the process that ends when the container does, with its status
   * @throws {EngineError} conflict for an id that is taken; whatever cannot be set up otherwise, with nothing left
   */
  async create(id: string, options: CreateOptions): Promise<Launched> {
    const bundle = resolve(options.bundle);
    const config = await readConfig(bundle);
    const host = await inspectHost("slipway-oci");
    await this.#store.reserve(id);
    try {
      const launched = await this.#launch(
        prepareBundle(config, {
          id,
          bundle,
          runDir: this.#store.runDir(id),
          stateDir: this.#store.directory(id),
          consoleSocket: options.consoleSocket ?? "",
          host,
        }),
      );
      const { pid, monitorPid } = launched;
      const record = { id, bundle, created: new Date().toISOString(), config, pid, monitorPid };
      await this.#store.write(record);
      const creating = stateOf(record, "creating", record.pid);
      await runHooks(config.hooks?.["prestart"], creating);
      await runHooks(config.hooks?.["createRuntime"], creating);
      if (options.pidFile !== undefined) await writeFile(options.pidFile, String(record.monitorPid));
      return launched;
    } catch (error) {
      await this.#discard(id);
      throw error;
    }
  }

  /** @throws {EngineError} notFound; invalid if it is not created, or its program cannot be run */
  async start(id: string): Promise<void> {
    const record = await this.#store.read(id);
    const { status } = await this.#store.state(record);
    if (status !== "created") {
      throw new EngineError(
        "invalid",
        `cannot start a container that has ${status === "running" ? "already run" : status}`,
      );
    }
    if (record.config.process === undefined) throw new EngineError("invalid", "the container has no process");
    const host = await inspectHost("slipway-oci");
    const monitor = await Monitor.open(this.#store.runDir(id));
    try {
      await monitor.go(processOfBundle(record.config.process, record.config.linux?.seccomp, host));
    } catch (error) {
      throw new EngineError(
        "invalid",
        `exec: ${JSON.stringify(record.config.process.args?.[0])}: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    } finally {
      monitor.close();
    }
    await runHooks(record.config.hooks?.["poststart"], stateOf(record, "running", record.pid));
  }

  async state(id: string): Promise<object> {
    return this.#store.state(await this.#store.read(id));
  }

  /** @param all every process of the container, not its first alone */
  async kill(id: string, signal: string, all: boolean): Promise<void> {
    const record = await this.#store.read(id);
    const number = signalNumber(signal);
    const { status } = await this.#store.state(record);
    if (all) {
      for (const pid of await this.#processes(record)) tryKill(pid, number);
      return;
    }
    if (status === "stopped") throw new EngineError("invalid", "container not running");
    const monitor = await Monitor.open(this.#store.runDir(id));
    await monitor.signal(number).finally(() => monitor.close());
  }

  /** @param force kill it first, and say nothing of one that is not there */
  async delete(id: string, force: boolean): Promise<void> {
    let record: OciRecord;
    try {
      record = await this.#store.read(id);
    } catch (error) {
      if (!force) throw error;
      await this.#store.remove(id);
      return;
    }
    const { status } = await this.#store.state(record);
    // Created is not yet running: the specification lets it be killed and deleted, as runc does.
    if (status === "running" && !force) {
      throw new EngineError("invalid", `cannot delete container ${id} that is not stopped: ${status}`);
    }
    await this.#end(id);
    await runHooks(record.config.hooks?.["poststop"], stateOf(record, "stopped", 0));
    await this.#store.remove(id);
  }

  /** @returns the program's exit status */
  async exec(id: string, options: ExecOptions): Promise<number> {
    return execIn(await this.#store.read(id), this.#store.runDir(id), options);
  }

  /** Holds every process of the container, or lets them go on. */
  async freeze(id: string, frozen: boolean): Promise<void> {
    const record = await this.#store.read(id);
    const { cgroups } = await inspectHost("slipway-oci");
    await freezeGroup(cgroups, cgroupPath(record.config, id), frozen);
  }

  /** Pids, as the caller sees them. */
  async processes(id: string): Promise<readonly number[]> {
    return this.#processes(await this.#store.read(id));
  }

  async #launch(ops: Parameters<typeof encodeRequest>[1]): Promise<Launched> {
    const child = spawn(this.#program, ["job"], { stdio: ["inherit", "inherit", "inherit", "pipe"] });
    const ended = once(child, "exit").then(([code]) => (code as number | null) ?? 128 + SIGKILL);
    const exited = (): Promise<number> => {
      child.ref();
      return ended;
    };
    const socket = child.stdio[3] as Socket;
    const { connection, payload } = await Connection.open(socket, encodeRequest(jobKind.run, ops));
    connection.close();
    child.unref();
    return { pid: payload.readUInt32LE(0), monitorPid: payload.readUInt32LE(4), exited };
  }

  async #end(id: string): Promise<void> {
    const monitor = await Monitor.open(this.#store.runDir(id)).catch(() => undefined);
    if (monitor === undefined) return;
    await monitor.signal(SIGKILL).catch(() => {}); // It has just ended by itself.
    await monitor.exited;
    monitor.close();
  }

  async #discard(id: string): Promise<void> {
    await this.#end(id);
    await this.#store.remove(id);
  }

  async #processes(record: OciRecord): Promise<readonly number[]> {
    const { cgroups } = await inspectHost("slipway-oci");
    const [directory = ""] = cgroupDirectories(cgroups, cgroupPath(record.config, record.id));
    const text = await readFile(join(directory, "cgroup.procs"), "utf8").catch(() => "");
    return text.split("\n").filter(Boolean).map(Number);
  }
}

function tryKill(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}
