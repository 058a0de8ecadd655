/**
 * Containers: what the rest of the engine may do with them. Each deed has a module of its own; this class finds the
 * container that is meant, and holds what they all work with.
 */
import { rmdir } from "node:fs/promises";
import type { Readable } from "node:stream";
import { EngineError } from "../errors.ts";
import type { Events } from "../events.ts";
import type { Filters } from "../filters.ts";
import type { Images } from "../images/images.ts";
import { Trash } from "../images/trash.ts";
import type { Image } from "../images/types.ts";
import type { Log } from "../log.ts";
import type { Spawner } from "../native/spawner.ts";
import type { Workers } from "../native/workers.ts";
import type { Networks } from "../networks/networks.ts";
import type { Paths } from "../store/paths.ts";
import { Serial } from "../store/serial.ts";
import type { Volumes } from "../volumes/volumes.ts";
import { type AttachOptions, attachContainer } from "./attach.ts";
import { cgroupDirectories } from "./cgroups/operations.ts";
import { type CommitOptions, commitContainer, containerChanges, exportContainer } from "./commit.ts";
import type { Container, Ending } from "./container.ts";
import { type CopyInOptions, copyIn, copyOut, type PathStat, statPath } from "./copy.ts";
import { type Created, createContainer } from "./create.ts";
import { Execs } from "./exec.ts";
import { inspectHost } from "./host.ts";
import { HostMounts } from "./host-mounts.ts";
import { inspectContainer } from "./inspect.ts";
import { killContainer } from "./kill.ts";
import { Launcher } from "./launcher.ts";
import { type ListOptions, listContainers, listEntry } from "./list.ts";
import { LogCompressor } from "./logs/compress.ts";
import type { LogEntry } from "./logs/form.ts";
import { type LogOptions, readLogs, refuseUnlogged } from "./logs/read.ts";
import { connectContainer, disconnectContainer } from "./networking.ts";
import { pauseContainer, unpauseContainer } from "./pause.ts";
import { type PrunedContainers, pruneContainers } from "./prune.ts";
import { recoverContainers, restartAfterRecovery } from "./recover.ts";
import { Registry } from "./registry.ts";
import { type RemoveOptions, removeContainer } from "./remove.ts";
import { renameContainer } from "./rename.ts";
import { ensureInitLayer } from "./rootfs.ts";
import { SeccompFilters } from "./seccomp/filters.ts";
import { containerSize } from "./sizes.ts";
import { startContainer } from "./start.ts";
import { type Sample, sampleContainer } from "./stats.ts";
import { Steps } from "./steps.ts";
import { restartContainer, type StopOptions, stopContainer } from "./stop.ts";
import type { Client } from "./streams.ts";
import { emit, type Tools } from "./tools.ts";
import { containerProcesses, type ProcessTable } from "./top.ts";
import type { BuildStep, CreateRequest, EndpointRequest, StepResult, StepRunner } from "./types.ts";
import { type UpdateRequest, updateContainer } from "./update.ts";
import { type WaitCondition, waitContainer } from "./wait.ts";

export interface ContainersDeps {
  readonly paths: Paths;
  readonly log: Log;
  readonly events: Events;
  readonly spawner: Spawner;
  readonly workers: Workers;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  /** Relative to the root of the cgroup tree. */
  readonly cgroupParent: string;
}

export class Containers implements StepRunner {
  readonly execs: Execs;
  readonly tools: Tools;
  readonly #steps: Steps;

  private constructor(tools: Tools) {
    this.tools = tools;
    this.execs = new Execs(tools);
    this.#steps = new Steps(tools);
  }

  /** Reads the records and proves them against the kernel; `startWanted()` follows when the engine serves. */
  static async open(deps: ContainersDeps): Promise<Containers> {
    const host = await inspectHost(deps.cgroupParent);
    await ensureInitLayer(deps.paths);
    const tools: Tools = {
      ...deps,
      host,
      launcher: new Launcher(deps.spawner),
      mounts: new HostMounts(deps.spawner),
      compressor: new LogCompressor(deps.log),
      filters: new SeccompFilters(host.machine),
      trash: new Trash(deps.paths.trash, deps.workers),
      registry: await Registry.open(deps.paths, deps.log),
      serial: new Serial(),
    };
    const containers = new Containers(tools);
    deps.images.setUsers(() => containers.#imageUsers());
    deps.images.addRoots(() => tools.registry.all().flatMap(({ record }) => record.layers));
    deps.volumes.setUsers(() => containers.#volumeUsers());
    await recoverContainers(tools);
    return containers;
  }

  /** Starts what restart policies want running after the engine or the machine has started. */
  startWanted(): Promise<void> {
    return restartAfterRecovery(this.tools);
  }

  /** Lets go at the end of a daemon: containers run on, and what none of them needs is taken away. */
  async close(): Promise<void> {
    await this.tools.registry.flush();
    const { cgroups, cgroupParent } = this.tools.host;
    for (const directory of cgroupDirectories(cgroups, cgroupParent)) {
      await rmdir(directory).catch(() => {}); // Not empty: containers run. Absent: none ever did.
    }
  }

  /** By id, name or unique prefix of an id. @throws {EngineError} notFound */
  find(reference: string): Container {
    return this.tools.registry.find(reference);
  }

  all(): readonly Container[] {
    return this.tools.registry.all();
  }

  create(
    request: CreateRequest,
    options: { readonly name: string; readonly platform: string },
  ): Promise<Created> {
    return createContainer(this.tools, request, options);
  }

  start(reference: string): Promise<void> {
    return startContainer(this.tools, this.find(reference));
  }

  stop(reference: string, options: StopOptions = {}): Promise<void> {
    return stopContainer(this.tools, this.find(reference), options);
  }

  restart(reference: string, options: StopOptions = {}): Promise<void> {
    return restartContainer(this.tools, this.find(reference), options);
  }

  async kill(reference: string, signal: string): Promise<void> {
    try {
      await killContainer(this.tools, this.find(reference), signal);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const text = `cannot kill container: ${reference}: ${error.message}`;
      throw new EngineError(error.kind, text, { cause: error });
    }
  }

  pause(reference: string): Promise<void> {
    return pauseContainer(this.tools, this.find(reference));
  }

  unpause(reference: string): Promise<void> {
    return unpauseContainer(this.tools, this.find(reference));
  }

  rename(reference: string, name: string): Promise<void> {
    return renameContainer(this.tools, this.find(reference), name);
  }

  remove(reference: string, options: RemoveOptions): Promise<void> {
    return removeContainer(this.tools, this.find(reference), options);
  }

  /** undefined if the signal came before the condition held. */
  wait(reference: string, condition: WaitCondition, signal: AbortSignal): Promise<Ending | undefined> {
    return waitContainer(this.find(reference), condition, signal);
  }

  attach(reference: string, options: AttachOptions, client: Client): Promise<void> {
    return attachContainer(this.tools, this.find(reference), options, client);
  }

  /** @throws {EngineError} at once, and not with the first piece: invalid where nothing is kept */
  logs(reference: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<readonly LogEntry[]> {
    const container = this.find(reference);
    refuseUnlogged(container);
    return readLogs(this.tools, container, options, signal);
  }

  async resize(reference: string, rows: number, columns: number): Promise<void> {
    const container = this.find(reference);
    const { live, record } = container;
    if (live === undefined) throw new EngineError("conflict", `container ${container.id} is not running`);
    if (!record.config.Tty) return;
    await live.monitor.resize(rows, columns);
    emit(this.tools, container, "resize", { height: String(rows), width: String(columns) });
  }

  /** In the wire's shape. */
  async inspect(reference: string, options: { readonly size: boolean }): Promise<object> {
    const container = this.find(reference);
    const shape = inspectContainer(this.tools, container, this.execs.running(container));
    return options.size ? { ...shape, ...(await containerSize(this.tools, container)) } : shape;
  }

  /** In the wire's shape, newest first. */
  list(options: ListOptions & { readonly size: boolean }): Promise<readonly object[]> {
    const entries = listContainers(this.tools, options).map(async (container) => {
      const entry = listEntry(this.tools, container);
      return options.size ? { ...entry, ...(await containerSize(this.tools, container)) } : entry;
    });
    return Promise.all(entries);
  }

  connect(reference: string, network: string, endpoint: EndpointRequest): Promise<void> {
    return connectContainer(this.tools, this.find(reference), network, endpoint);
  }

  disconnect(reference: string, network: string, force: boolean): Promise<void> {
    return disconnectContainer(this.tools, this.find(reference), network, force);
  }

  statPath(reference: string, path: string): Promise<PathStat> {
    return statPath(this.tools, this.find(reference), path);
  }

  copyOut(reference: string, path: string): Promise<{ readonly stat: PathStat; readonly archive: Readable }> {
    return copyOut(this.tools, this.find(reference), path);
  }

  copyIn(reference: string, path: string, archive: Readable, options: CopyInOptions): Promise<void> {
    return copyIn(this.tools, this.find(reference), path, archive, options);
  }

  changes(reference: string): ReturnType<typeof containerChanges> {
    return containerChanges(this.tools, this.find(reference));
  }

  export(reference: string): Readable {
    return exportContainer(this.tools, this.find(reference));
  }

  commit(reference: string, options: CommitOptions): Promise<Image> {
    return commitContainer(this.tools, this.find(reference), options);
  }

  processes(reference: string, options: string): Promise<ProcessTable> {
    return containerProcesses(this.tools, this.find(reference), options);
  }

  /** In the wire's shape. */
  sample(reference: string, before: Sample | undefined): Promise<Sample> {
    return sampleContainer(this.tools, this.find(reference), before);
  }

  update(reference: string, request: UpdateRequest): Promise<readonly string[]> {
    return updateContainer(this.tools, this.find(reference), request);
  }

  prune(filters: Filters): Promise<PrunedContainers> {
    return pruneContainers(this.tools, filters);
  }

  runStep(step: BuildStep): Promise<StepResult> {
    return this.#steps.runStep(step);
  }

  /** Whether containers have cgroups, and with them limits: an ordinary user's may have none. */
  get limits(): boolean {
    const { cgroups } = this.tools.host;
    return cgroups.version === 2 || cgroups.hierarchies.length > 0;
  }

  /** How many there are of each kind, for /info. */
  counts(): { readonly running: number; readonly paused: number; readonly stopped: number } {
    const all = this.all();
    const paused = all.filter(({ record }) => record.state.status === "paused").length;
    const running = all.filter((container) => container.isRunning).length - paused;
    return { running, paused, stopped: all.length - running - paused };
  }

  *#imageUsers(): Iterable<{ containerId: string; imageId: string; running: boolean }> {
    for (const container of this.all()) {
      yield { containerId: container.id, imageId: container.record.imageId, running: container.isRunning };
    }
  }

  #volumeUsers(): readonly { readonly containerId: string; readonly volumes: readonly string[] }[] {
    // One that is being removed takes its anonymous volumes along.
    const staying = this.all().filter(({ record }) => record.state.status !== "removing");
    return staying.map(({ record }) => ({
      containerId: record.id,
      volumes: record.mounts.flatMap(({ Name }) => (Name === undefined ? [] : [Name])),
    }));
  }
}
