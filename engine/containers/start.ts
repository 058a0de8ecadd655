import { EngineError, messageOf } from "../errors.ts";
import type { Attachment } from "../networks/types.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Container, Live } from "./container.ts";
import { containerEnded } from "./exit.ts";
import { startHealthProbes } from "./health.ts";
import { SIGKILL } from "./kill.ts";
import { type Launch, startExitCode, startProgram } from "./launcher.ts";
import { compressLogs } from "./logs/compress.ts";
import { checkPropagation } from "./propagation.ts";
import { removeNow } from "./remove.ts";
import { cancelRestart } from "./restart.ts";
import { makeShm } from "./shm.ts";
import { containerProcess, containerSpec, networkOwner } from "./spec.ts";
import { formatTime } from "./time.ts";
import { emit, logFailure, type Tools } from "./tools.ts";
import type { ContainerRecord } from "./types.ts";
import { acquireVolumes, releaseVolumes } from "./volume-use.ts";

/**
 * Starts a container: network and volumes, then its surroundings, then who waits to see its output, then its program.
 *
 * @throws {EngineError} notModified if it runs, conflict if it is paused or being removed, what goes wrong otherwise;
 * the container keeps its state then, with the reason in it
 */
export async function startContainer(tools: Tools, container: Container): Promise<void> {
  await tools.serial.run(container.id, () => startNow(tools, container));
}

/** As startContainer(), for who has the container's turn already. */
export async function startNow(tools: Tools, container: Container): Promise<void> {
  refuseWrongState(container);
  cancelRestart(container);
  try {
    await launch(tools, container);
  } catch (error) {
    await startFailed(tools, container, error);
    throw error;
  }
}

function refuseWrongState(container: Container): void {
  const { status } = container.record.state;
  if (status === "paused") {
    throw new EngineError("conflict", "cannot start a paused container, try unpause instead");
  }
  if (status === "running")
    throw new EngineError("notModified", `container ${container.id} is already running`);
  if (status === "removing" || status === "dead") {
    throw new EngineError("conflict", "container is marked for removal and cannot be started");
  }
}

async function launch(tools: Tools, container: Container): Promise<void> {
  const { record } = container;
  await checkPropagation(record.mounts);
  const volumes = await acquireVolumes(tools, record);
  checkpoint("start: volumes held");
  const network = await attachNetwork(tools, record);
  checkpoint("start: network attached");
  await takeOwnersName(tools, container);
  await makeShm(tools, container.record);
  const spec = await containerSpec(tools, container, network, volumes);
  let oom = false;
  const launched = await tools.launcher.launch(spec, {
    onOom: () => {
      if (!oom) emit(tools, container, "oom");
      oom = true;
    },
    onRotated: () => compressLogs(tools, container),
  });
  checkpoint("start: launched");
  const startedAt = formatTime(await runProgram(tools, container, launched));
  started(tools, container, launched, network, startedAt);
}

/** Attached clients are connected before the program's first byte. Gives the time at which it began. */
async function runProgram(tools: Tools, container: Container, launched: Launch): Promise<bigint> {
  const { monitor } = launched;
  try {
    const process = containerProcess(tools, container.record, launched);
    await Promise.all([...container.pending].map((join) => join(monitor)));
    const [rows = 0, columns = 0] = container.record.hostConfig.ConsoleSize ?? [];
    if (container.record.config.Tty && rows > 0 && columns > 0) await monitor.resize(rows, columns);
    checkpoint("start: clients joined");
    const startedAt = await startProgram(monitor, process);
    checkpoint("start: program runs");
    return startedAt;
  } catch (error) {
    await monitor.signal(SIGKILL).catch(() => {}); // A program that could not start has left already.
    await monitor.exited;
    monitor.close();
    throw error;
  }
}

function started(
  tools: Tools,
  container: Container,
  launched: Launch,
  network: Attachment | undefined,
  startedAt: string,
): void {
  const live: Live = {
    monitor: launched.monitor,
    pid: launched.pid,
    since: performance.now(),
    network,
    users: { passwd: launched.passwd, group: launched.group },
    health: undefined,
    ended: Promise.resolve(),
  };
  container.live = live;
  const running = {
    status: "running",
    pid: launched.pid,
    monitorPid: launched.monitorPid,
    exitCode: 0,
    error: "",
    oomKilled: false,
    startedAt,
    stoppedByUser: false,
  } as const;
  // After a power cut no monitor tells what ran: what has to run again then is written at once.
  const writing = isRestarted(container)
    ? tools.registry.changeState(container, running)
    : tools.registry.changeStateSoon(container, running);
  emit(tools, container, "start");
  container.tellStart();
  live.health = startHealthProbes(tools, container);
  followEnd(tools, container, live);
  // The monitor knows that it runs, and the next daemon asks it: nobody need wait for the disk.
  logFailure(tools, container, writing);
  checkpoint("start: recorded");
}

function isRestarted({ record }: Container): boolean {
  return !["", "no"].includes(record.hostConfig.RestartPolicy?.Name ?? "");
}

/** Sees to the container's end, whenever it comes. */
export function followEnd(tools: Tools, container: Container, live: Live): void {
  const again = (): Promise<void> => startNow(tools, container);
  live.ended = live.monitor.exited.then((exit) => containerEnded(tools, container, live, exit, again));
}

async function startFailed(tools: Tools, container: Container, error: unknown): Promise<void> {
  await tools.networks.release(container.id);
  await releaseVolumes(tools, container.record);
  const exitCode = startExitCode(error);
  const status = container.record.state.status === "restarting" ? "exited" : container.record.state.status;
  await tools.registry.changeState(container, { status, exitCode, error: messageOf(error), pid: 0 });
  tools.log.warn("a container did not start", { id: container.id, error: messageOf(error) });
  container.tellExit({ exitCode, error: messageOf(error) });
  if (container.record.hostConfig.AutoRemove) await removeNow(tools, container, { volumes: true });
}

async function attachNetwork(tools: Tools, record: ContainerRecord): Promise<Attachment | undefined> {
  const { config, hostConfig } = record;
  const owner = networkOwner(tools, record);
  if (owner !== undefined) {
    if (owner.live !== undefined) return undefined;
    throw new EngineError("conflict", `cannot join network of a non running container: ${owner.id}`);
  }
  return tools.networks.attach({
    id: record.id,
    name: record.name,
    hostname: config.Hostname ?? "",
    domainname: config.Domainname ?? "",
    mode: config.NetworkDisabled ? "none" : (hostConfig.NetworkMode ?? "bridge"),
    endpoints: record.endpoints,
    ...(config.MacAddress === undefined ? {} : { macAddress: config.MacAddress }),
    links: hostConfig.Links ?? [],
    portBindings: hostConfig.PortBindings ?? {},
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    publishAll: hostConfig.PublishAllPorts ?? false,
    dns: hostConfig.Dns ?? [],
    dnsSearch: hostConfig.DnsSearch ?? [],
    dnsOptions: hostConfig.DnsOptions ?? [],
    extraHosts: hostConfig.ExtraHosts ?? [],
    labels: config.Labels ?? {},
  });
}

/** Who shares a network shares its name: the hosts file that both see knows no other. */
async function takeOwnersName(tools: Tools, container: Container): Promise<void> {
  const owner = networkOwner(tools, container.record);
  if (owner === undefined) return;
  const { Hostname = "", Domainname = "" } = owner.record.config;
  await tools.registry.change(container, { config: { ...container.record.config, Hostname, Domainname } });
}
