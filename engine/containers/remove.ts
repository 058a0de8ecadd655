import { rmdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Container } from "./container.ts";
import { killAndWait } from "./kill.ts";
import { freeStorage } from "./quota.ts";
import { cancelRestart } from "./restart.ts";
import { emit, type Tools } from "./tools.ts";

export interface RemoveOptions {
  /** Kill it if it runs. */
  readonly force: boolean;
  /** Its anonymous volumes, too. */
  readonly volumes: boolean;
}

/** @throws {EngineError} conflict if it runs and force is not asked for, or if it is being removed already */
export async function removeContainer(
  tools: Tools,
  container: Container,
  options: RemoveOptions,
): Promise<void> {
  const { status } = container.record.state;
  if (status === "removing") {
    throw new EngineError("conflict", `removal of container ${container.id} is already in progress`);
  }
  for (let removed = false; !removed; ) {
    if (container.isRunning) {
      if (!options.force) throw new EngineError("conflict", refusal(container));
      await killAndWait(tools, container);
    }
    removed = await tools.serial.run(container.id, async () => {
      // With --rm it has removed itself by now.
      if (!tools.registry.has(container.id)) return true;
      // A start was in the midst of its work, and has made it run meanwhile.
      if (container.isRunning) return false;
      await removeNow(tools, container, options);
      return true;
    });
  }
}

function refusal(container: Container): string {
  const paused = container.record.state.status === "paused";
  const state = paused
    ? "paused and must be unpaused first"
    : "running: stop the container before removing or force remove";
  return `cannot remove container "/${container.name}": container is ${state}`;
}

/**
 * For who has the container's turn.
 *
 * A daemon that is killed here leaves what the next one finishes: volumes by the record, which goes after them, and
 * directories by their having no record.
 */
export async function removeNow(
  tools: Tools,
  container: Container,
  options: { readonly volumes: boolean },
): Promise<void> {
  const { record } = container;
  cancelRestart(container);
  const volumes = options.volumes ? record.mounts.filter((mount) => mount.anonymous) : [];
  // On disk only where a later start would have to know that the volumes go along.
  if (volumes.length > 0) await tools.registry.changeState(container, { status: "removing" });
  else tools.registry.setState(container, { status: "removing" });
  checkpoint("remove: marked");
  await tools.networks.release(record.id);
  checkpoint("remove: network released");
  for (const { Name = "" } of volumes) {
    // Another container may have it by --volumes-from; then it stays until that one goes.
    await tools.volumes.remove(Name, { force: true }).catch(() => {});
  }
  checkpoint("remove: volumes removed");
  await tools.registry.remove(container);
  checkpoint("remove: record removed");
  await freeStorage(tools, record);
  await tools.trash.discard(tools.paths.container(record.id));
  checkpoint("remove: directory discarded");
  await removeRunDirectory(tools.paths.runContainer(record.id));
  checkpoint("remove: run directory removed");
  emit(tools, container, "destroy");
  container.tellRemoved();
}

/** A monitor that ended by itself has left it empty; it lies in memory, where this costs less than a thread's round trip. */
async function removeRunDirectory(path: string): Promise<void> {
  try {
    rmdirSync(path);
  } catch {
    await rm(path, { recursive: true, force: true });
  }
}
