/** At the start of a daemon: which containers live, which ended meanwhile, and what an earlier daemon left half done. */
import { readdir, rm } from "node:fs/promises";
import { messageOf } from "../errors.ts";
import { type LeftRecord, Monitor, readExit } from "../native/monitor.ts";
import { killGroup } from "./cgroups/kill.ts";
import { cgroupDirectories } from "./cgroups/operations.ts";
import type { Container, Live } from "./container.ts";
import { resumeHealthProbes } from "./health.ts";
import { compressLogs } from "./logs/compress.ts";
import { removeNow } from "./remove.ts";
import { removeOrphanedShm, removeShm } from "./shm.ts";
import { cgroupPath } from "./spec.ts";
import { followEnd, startContainer } from "./start.ts";
import { formatTime, nowNs, parseTime } from "./time.ts";
import { emit, type Tools } from "./tools.ts";
import { acquireVolumes } from "./volume-use.ts";

const SIGKILL = 9;
/** The code of a container that was lost, with its exit record. */
const LOST = 255;

/** Proves every record against the kernel. Restart policies are left to restartAfterRecovery(). */
export async function recoverContainers(tools: Tools): Promise<void> {
  await Promise.all(tools.registry.all().map((container) => recover(tools, container)));
  await tools.networks.reattach(living(tools));
  await removeOrphans(tools);
}

/** Starts what the policies want running; the engine serves meanwhile. */
export async function restartAfterRecovery(tools: Tools): Promise<void> {
  for (const container of tools.registry.all()) {
    if (container.live !== undefined || !wantedBack(container)) continue;
    await startContainer(tools, container).catch((error) => {
      tools.log.error("a container could not be restarted", { id: container.id, error: messageOf(error) });
    });
  }
}

/** `always` also brings back what a person had stopped, as Docker does when its daemon starts. */
function wantedBack(container: Container): boolean {
  const { state, hostConfig } = container.record;
  if (state.status !== "exited" && state.status !== "restarting") return false;
  switch (hostConfig.RestartPolicy?.Name) {
    case "always":
      return true;
    case "unless-stopped":
      return !state.stoppedByUser;
    case "on-failure":
      return state.status === "restarting" || (state.exitCode !== 0 && !state.stoppedByUser);
    default:
      return false;
  }
}

async function recover(tools: Tools, container: Container): Promise<void> {
  const { status } = container.record.state;
  try {
    const unmade = status === "created" && lacksVolumes(tools, container);
    if (status === "removing" || unmade) await removeNow(tools, container, { volumes: true });
    else await findProcess(tools, container);
    // What got full while no daemon was there.
    compressLogs(tools, container);
  } catch (error) {
    tools.log.error("a container could not be recovered", { id: container.id, error: messageOf(error) });
  }
}

/** A volume cannot be removed while a container names it: where one is missing, the daemon was killed before it was made. */
function lacksVolumes(tools: Tools, container: Container): boolean {
  const there = new Set(tools.volumes.list().map(({ Name }) => Name));
  return container.record.mounts.some(({ Type, Name }) => Type === "volume" && !there.has(Name ?? ""));
}

async function findProcess(tools: Tools, container: Container): Promise<void> {
  const { record } = container;
  const { status } = record.state;
  const monitor = await Monitor.open(tools.paths.runContainer(record.id), {
    onOom: () => emit(tools, container, "oom"),
    onRotated: () => compressLogs(tools, container),
  }).catch(() => undefined);
  if (monitor?.state === "running") return reconnect(tools, container, monitor);
  if (monitor?.state === "created") {
    // The daemon was killed between the launch and the program: nobody will ever start it.
    await monitor.signal(SIGKILL).catch(() => {});
    await monitor.exited;
  }
  monitor?.close();
  const exit = await readExit(tools.paths.container(record.id));
  if (status === "running" || status === "paused") {
    await recordEnd(tools, container, freshExit(record.state.startedAt, exit));
  } else if (exit !== undefined && ranUnseen(record.state.finishedAt, exit)) {
    await recordEnd(tools, container, exit);
  }
}

/** Whether it began and ended before the daemon that was killed had written so. */
function ranUnseen(finishedAt: string, exit: LeftRecord): boolean {
  return exit.startedAt > 0n && exit.finishedAt > parseTime(finishedAt);
}

/** An exit record older than the last start is that of the run before. */
function freshExit(startedAt: string, exit: LeftRecord | undefined): LeftRecord | undefined {
  return exit !== undefined && exit.finishedAt >= parseTime(startedAt) ? exit : undefined;
}

async function reconnect(tools: Tools, container: Container, monitor: Monitor): Promise<void> {
  const { state } = container.record;
  const startedAt = monitor.startedAt || parseTime(state.startedAt);
  const age = Math.max(0, Number((nowNs() - startedAt) / 1_000_000n));
  const live: Live = {
    monitor,
    pid: monitor.pid,
    since: performance.now() - age,
    network: undefined,
    users: undefined,
    health: undefined,
    ended: Promise.resolve(),
  };
  container.live = live;
  await acquireVolumes(tools, container.record);
  // A daemon that was killed before it could write so has started it all the same.
  const known = state.status === "running" || state.status === "paused";
  if (!known) {
    await tools.registry.changeState(container, {
      status: "running",
      pid: monitor.pid,
      startedAt: formatTime(monitor.startedAt || nowNs()),
    });
  }
  if (state.status !== "paused") live.health = resumeHealthProbes(tools, container, age);
  followEnd(tools, container, live);
}

async function recordEnd(tools: Tools, container: Container, exit: LeftRecord | undefined): Promise<void> {
  const exitCode = exit?.code ?? LOST;
  await tools.registry.changeState(container, {
    status: "exited",
    pid: 0,
    monitorPid: 0,
    exitCode,
    oomKilled: exit?.oom ?? false,
    ...(exit !== undefined && exit.startedAt > parseTime(container.record.state.startedAt)
      ? { startedAt: formatTime(exit.startedAt) }
      : {}),
    finishedAt: formatTime(exit?.finishedAt ?? nowNs()),
    error: exit === undefined ? "the container's processes were lost while no daemon was there" : "",
  });
  await removeShm(tools, container.record);
  if (exit === undefined) await killGroup(tools.host.cgroups, cgroupPath(tools.host, container.record));
  emit(tools, container, "die", { exitCode: String(exitCode) });
  if (container.record.hostConfig.AutoRemove) await removeNow(tools, container, { volumes: true });
}

function living(tools: Tools): ReadonlySet<string> {
  return new Set(tools.registry.all().flatMap(({ id, live }) => (live === undefined ? [] : [id])));
}

/** Directories and cgroups of nobody: build steps, and containers whose daemon was killed while it made or removed them. */
async function removeOrphans(tools: Tools): Promise<void> {
  const alive = living(tools);
  for (const name of await readdir(tools.paths.containers)) {
    if (/^[0-9a-f]{64}$/.test(name) && !tools.registry.has(name)) {
      await tools.trash.discard(tools.paths.container(name));
    }
  }
  for (const id of await readdir(tools.paths.runContainers).catch(() => [])) {
    if (alive.has(id)) continue;
    const directory = tools.paths.runContainer(id);
    const monitor = await Monitor.open(directory).catch(() => undefined);
    await monitor?.signal(SIGKILL).catch(() => {});
    await monitor?.exited;
    monitor?.close();
    await rm(directory, { recursive: true, force: true });
  }
  await removeOrphanedShm(tools, alive);
  await removeGroups(tools, alive);
}

async function removeGroups(tools: Tools, alive: ReadonlySet<string>): Promise<void> {
  const [first] = cgroupDirectories(tools.host.cgroups, tools.host.cgroupParent);
  if (first === undefined) return;
  const names = new Set<string>();
  for (const directory of cgroupDirectories(tools.host.cgroups, tools.host.cgroupParent)) {
    for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory() && /^[0-9a-f]{64}$/.test(entry.name) && !alive.has(entry.name))
        names.add(entry.name);
    }
  }
  for (const name of names) await killGroup(tools.host.cgroups, `${tools.host.cgroupParent}/${name}`);
}
