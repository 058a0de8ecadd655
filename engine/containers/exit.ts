import { messageOf } from "../errors.ts";
import type { ExitRecord } from "../native/monitor.ts";
import { killGroup } from "./cgroups/kill.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Container, Live } from "./container.ts";
import { removeNow } from "./remove.ts";
import { scheduleRestart, shouldRestart } from "./restart.ts";
import { removeShm } from "./shm.ts";
import { cgroupPath } from "./spec.ts";
import { formatTime, nowNs } from "./time.ts";
import { emit, logFailure, type Tools } from "./tools.ts";
import { releaseVolumes } from "./volume-use.ts";

/** The code of a container whose monitor was lost with its exit record. */
const LOST = 255;

/**
 * Records that a container's program ended, gives back what it held, and does what its policies say.
 *
 * @param startAgain starts the container, for who has its turn
 */
export async function containerEnded(
  tools: Tools,
  container: Container,
  live: Live,
  exit: ExitRecord | undefined,
  startAgain: () => Promise<void>,
): Promise<void> {
  try {
    await tools.serial.run(container.id, () => ended(tools, container, live, exit, startAgain));
  } catch (error) {
    tools.log.error("a container's end could not be recorded", { id: container.id, error: messageOf(error) });
  }
}

async function ended(
  tools: Tools,
  container: Container,
  live: Live,
  exit: ExitRecord | undefined,
  startAgain: () => Promise<void>,
): Promise<void> {
  checkpoint("end: seen");
  live.health?.stop();
  live.monitor.close();
  container.live = undefined;
  const exitCode = exit?.code ?? LOST;
  if (exit === undefined) await killGroup(tools.host.cgroups, cgroupPath(tools.host, container.record));
  const ran = performance.now() - live.since;
  await tools.networks.release(container.id);
  checkpoint("end: network released");
  await releaseVolumes(tools, container.record);
  await removeShm(tools, container.record);
  checkpoint("end: volumes released");
  // Only now: a person may have stopped it meanwhile.
  const restarting = shouldRestart(container, exitCode);
  const { state } = container.record;
  const writing = tools.registry.changeStateSoon(container, {
    status: restarting ? "restarting" : "exited",
    pid: 0,
    monitorPid: 0,
    exitCode,
    oomKilled: exit?.oom ?? false,
    error: exit === undefined ? "the container's monitor was lost" : state.error,
    ...(state.health === undefined ? {} : { health: { ...state.health, status: "unhealthy" } as const }),
    finishedAt: formatTime(exit?.finishedAt ?? nowNs()),
  });
  emit(tools, container, "die", { exitCode: String(exitCode), execDuration: String(Math.floor(ran / 1000)) });
  // The monitor's exit record is on disk already.
  logFailure(tools, container, writing);
  checkpoint("end: recorded");
  const { AutoRemove } = container.record.hostConfig;
  if (restarting) scheduleRestart(tools, container, ran, startAgain);
  container.tellExit({ exitCode, error: "" });
  if (AutoRemove && !restarting) await removeNow(tools, container, { volumes: true });
}
