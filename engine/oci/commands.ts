/** The commands of an OCI runtime. @see the specification's runtime.md, "Operations"; runc(8) for what it leaves open */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Host, inspectHost } from "../containers/host.ts";
import { freezeGroup } from "../containers/pause.ts";
import { signalNumber } from "../containers/signals.ts";
import { EngineError } from "../errors.ts";
import { Monitor } from "../native/monitor.ts";
import { holds, hookOp, prepareBundle, processOfBundle } from "./compile.ts";
import { type OciConfig, type OciResources, readConfig } from "./config.ts";
import { type ExecOptions, execDetached, execIn } from "./exec.ts";
import { cannotRun, isOf } from "./failures.ts";
import { cgroupPath, processesOf, removeGroup, writeLimits } from "./group.ts";
import { runHooks } from "./hooks.ts";
import { type Launched, launch } from "./launch.ts";
import { lifeOf, signalProcess } from "./life.ts";
import { resourceWrites } from "./resources.ts";
import { type OciRecord, type OciState, OciStore, stateOf } from "./state.ts";
import { carry } from "./stdio.ts";

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
  /** Descriptors from 3 on that the container's program gets. */
  readonly preserved: number;
  /** The program has its caller's session keyring. */
  readonly noNewKeyring: boolean;
}

const SIGKILL = 9;

export class Runtime {
  readonly #store: OciStore;
  readonly #program: string;
  readonly #host: Promise<Host> = inspectHost("slipway-oci");

  constructor(options: RuntimeOptions) {
    this.#store = new OciStore(options.root);
    this.#program = options.program;
  }

  /**
   * Makes a container, whose program waits for `start`. It has the caller's stdio, and whoever gets what this process
   * leaves becomes its parent.
   *
   * @throws {EngineError} conflict for an id that is taken; whatever cannot be set up otherwise, with nothing left
   */
  async create(id: string, options: CreateOptions): Promise<void> {
    await this.#create(id, options, true);
  }

  /** Makes and starts a container, and waits for its end. @returns its program's exit status */
  async run(id: string, options: CreateOptions): Promise<number> {
    const { launched, config } = await this.#create(id, options, false);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
      process.on(signal, () => signalProcess(launched.pid, signalNumber(signal)));
    }
    try {
      if (!config.process?.terminal || options.consoleSocket !== undefined) {
        await this.start(id);
        return await launched.exited();
      }
      const monitor = await Monitor.open(this.#store.runDir(id));
      return await carry(true, async (output) => {
        const session = await monitor.attach({ stdin: true, stdout: true, stderr: true }, output);
        await this.start(id);
        return session;
      }).finally(() => monitor.close());
    } finally {
      await this.delete(id, true);
    }
  }

  /** @throws {EngineError} notFound; invalid if it is not created, or its program cannot be run */
  async start(id: string): Promise<void> {
    const record = await this.#store.read(id);
    const { status } = await this.#state(record);
    if (status !== "created") {
      const why =
        status === "stopped"
          ? "cannot start a container that has stopped"
          : "cannot start an already running container";
      throw new EngineError("invalid", why);
    }
    const { config } = record;
    if (config.process === undefined) throw new EngineError("invalid", "the container has no process");
    const monitor = await Monitor.open(this.#store.runDir(id));
    const state = JSON.stringify(stateOf(record, "created"));
    try {
      await monitor.go([
        ...processOfBundle(
          config.process,
          config.linux?.seccomp,
          await this.#host,
          record.keyring ? `_ses.${id}` : undefined,
        ),
        ...(config.hooks?.startContainer ?? []).map((hook) => hookOp(hook, state)),
      ]);
    } catch (error) {
      throw cannotRun(config.process, error);
    } finally {
      monitor.close();
    }
    await runHooks(config.hooks?.poststart, stateOf(record, "running"));
  }

  async state(id: string): Promise<OciState> {
    return this.#state(await this.#store.read(id));
  }

  async list(): Promise<readonly OciState[]> {
    const records = await this.#store.all();
    return Promise.all(records.map((record) => this.#state(record)));
  }

  /** @param all every process of the container, not its first alone */
  async kill(id: string, signal: string, all: boolean): Promise<void> {
    const record = await this.#store.read(id);
    const number = signalNumber(signal);
    if (all) {
      for (const pid of await this.#processes(record)) signalProcess(pid, number);
      return;
    }
    const { status } = await this.#state(record);
    if (status === "stopped" || !signalProcess(record.life.pid, number)) {
      throw new EngineError("invalid", "container not running");
    }
    // Nothing that is frozen dies.
    if (status === "paused" && number === SIGKILL) await this.freeze(id, false);
  }

  /** @param force kill it first, and say nothing of one that is not there */
  async delete(id: string, force: boolean): Promise<void> {
    let record: OciRecord;
    try {
      record = await this.#store.read(id);
    } catch (error) {
      if (!force) throw error;
      await this.#discard(id);
      return;
    }
    const { status } = await this.#state(record);
    // Created is not yet running: the specification lets it be killed and deleted, as runc does.
    if (status !== "created" && status !== "stopped" && !force) {
      throw new EngineError("invalid", `cannot delete container ${id} that is not stopped: ${status}`);
    }
    if (status !== "stopped") await this.kill(id, "KILL", false).catch(() => {}); // It has just ended by itself.
    await this.#end(id);
    const { cgroups } = await this.#host;
    await removeGroup(cgroups, cgroupPath(record.config, id));
    await runHooks(record.config.hooks?.poststop, stateOf(record, "stopped"));
    await this.#store.remove(id);
  }

  /** @returns the program's exit status; 0 at once if it is detached */
  async exec(id: string, options: ExecOptions, detach: boolean): Promise<number> {
    const record = await this.#store.read(id);
    const { status } = await this.#state(record);
    if (status === "stopped") throw new EngineError("invalid", "cannot exec in a stopped container");
    if (status === "paused") throw new EngineError("invalid", "cannot exec in a paused container");
    const host = await this.#host;
    if (!detach) return execIn(record, this.#store.runDir(id), options, host);
    await execDetached(record, options, { host, program: this.#program });
    return 0;
  }

  /** Holds every process of the container, or lets them go on. */
  async freeze(id: string, frozen: boolean): Promise<void> {
    const record = await this.#store.read(id);
    const { status } = await this.#state(record);
    if (status === "stopped" || (!frozen && status !== "paused")) {
      throw new EngineError("invalid", frozen ? "container not running" : "container not paused");
    }
    await freezeGroup((await this.#host).cgroups, cgroupPath(record.config, id), frozen);
  }

  /** Changes limits; what is absent or 0 stays as it is. */
  async update(id: string, resources: OciResources): Promise<void> {
    const record = await this.#store.read(id);
    const { cgroups } = await this.#host;
    const config: OciConfig = {
      ...record.config,
      linux: { ...record.config.linux, resources: merged(record.config.linux?.resources ?? {}, resources) },
    };
    await writeLimits(cgroups, cgroupPath(config, id), resourceWrites(cgroups, resources));
    await this.#store.write({ ...record, config });
  }

  /** Pids, as the caller sees them. */
  async processes(id: string): Promise<readonly number[]> {
    return this.#processes(await this.#store.read(id));
  }

  /** Where its figures are. */
  async group(id: string): Promise<{ readonly host: Host; readonly path: string }> {
    const { config } = await this.#store.read(id);
    return { host: await this.#host, path: cgroupPath(config, id) };
  }

  /** Calls `onOom` when the kernel kills for want of memory. @returns when the container has ended */
  async watch(id: string, onOom: () => void): Promise<void> {
    const monitor = await Monitor.open(this.#store.runDir(id), { onOom });
    await monitor.exited;
    monitor.close();
  }

  async #create(
    id: string,
    options: CreateOptions,
    handOver: boolean,
  ): Promise<{ readonly launched: Launched; readonly config: OciConfig }> {
    const bundle = resolve(options.bundle);
    const config = await readConfig(bundle);
    const terminal = config.process?.terminal ?? false;
    if (handOver && terminal && options.consoleSocket === undefined) {
      throw new EngineError(
        "invalid",
        "cannot allocate tty if runc will detach without setting console socket",
      );
    }
    if (!terminal && options.consoleSocket !== undefined) {
      throw new EngineError("invalid", "cannot use console socket if runc will not detach or allocate tty");
    }
    const host = await this.#host;
    const ops = prepareBundle(config, {
      ...{ id, bundle, host, handOver, preserved: options.preserved },
      runDir: this.#store.runDir(id),
      stateDir: this.#store.directory(id),
      consoleSocket: options.consoleSocket ?? "",
    });
    await this.#store.reserve(id);
    const recorded = async (pid: number): Promise<OciRecord> => {
      const life = lifeOf(pid) ?? { pid, startTime: "" };
      const created = new Date().toISOString();
      const record = { id, bundle, created, config, life, keyring: !options.noNewKeyring };
      await this.#store.write(record);
      return record;
    };
    try {
      const launched = await launch(ops, {
        program: this.#program,
        preserved: options.preserved,
        onHold: holds(config) ? async (pid) => hold(await recorded(pid)) : undefined,
      });
      await recorded(launched.pid);
      if (options.pidFile !== undefined) await writePid(options.pidFile, launched.pid);
      return { launched, config };
    } catch (error) {
      await this.#discard(id);
      await removeGroup(host.cgroups, cgroupPath(config, id));
      throw config.process !== undefined && isOf("program", ops, error)
        ? cannotRun(config.process, error)
        : error;
    }
  }

  async #state(record: OciRecord): Promise<OciState> {
    return this.#store.state(record, (await this.#host).cgroups);
  }

  /** What waits for its `start` ends with its monitor's connection; what runs was killed before. */
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
    const { cgroups } = await this.#host;
    return processesOf(cgroups, cgroupPath(record.config, record.id));
  }
}

/** The container is there, its root is not yet its own. @returns what its own hooks read */
async function hold(record: OciRecord): Promise<string> {
  const state = stateOf(record, "creating");
  await runHooks(record.config.hooks?.prestart, state);
  await runHooks(record.config.hooks?.createRuntime, state);
  return JSON.stringify(state);
}

async function writePid(file: string, pid: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, String(pid));
}

function merged(before: OciResources, given: OciResources): OciResources {
  return {
    ...before,
    ...given,
    memory: { ...before.memory, ...given.memory },
    cpu: { ...before.cpu, ...given.cpu },
    blockIO: { ...before.blockIO, ...given.blockIO },
  };
}
