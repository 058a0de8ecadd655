/**
 * The /dev/shm of containers that share their IPC. A tmpfs cannot be had from another container's mount namespace, so
 * who lets others join keeps it in a directory beneath the exec root, where it ends with the machine.
 */
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import type { Tools } from "./tools.ts";
import type { ContainerRecord } from "./types.ts";

/**
 * The directory of the host that is the container's /dev/shm; undefined for one that has a tmpfs of its own.
 *
 * @throws {EngineError} conflict if it wants that of a container that shares nothing
 */
export function sharedShm(tools: Tools, record: ContainerRecord): string | undefined {
  const mode = record.hostConfig.IpcMode ?? "";
  if (mode === "host") return "/dev/shm";
  if (mode === "shareable") return directoryOf(tools, record);
  if (!mode.startsWith("container:")) return undefined;
  const other = tools.registry.find(mode.slice("container:".length));
  const shared = sharedShm(tools, other.record);
  if (shared === undefined) {
    throw new EngineError(
      "conflict",
      `cannot join IPC of container ${other.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  }
  return shared;
}

/** Makes it for a container that lets others join, empty. */
export async function makeShm(tools: Tools, record: ContainerRecord): Promise<void> {
  if (record.hostConfig.IpcMode !== "shareable") return;
  await removeShm(tools, record);
  await mkdir(directoryOf(tools, record), { recursive: true, mode: 0o711 });
  await chmod(directoryOf(tools, record), 0o1777);
}

/** Who has joined keeps what is open. */
export async function removeShm(tools: Tools, record: ContainerRecord): Promise<void> {
  if (record.hostConfig.IpcMode !== "shareable") return;
  await rm(directoryOf(tools, record), { recursive: true, force: true });
}

function directoryOf(tools: Tools, record: ContainerRecord): string {
  return join(tools.paths.run, "shm", record.id);
}
