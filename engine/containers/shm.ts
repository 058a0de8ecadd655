/**
 * The /dev/shm of containers. Most have a tmpfs of their own, in their own mount namespace. A container that lets others
 * join its IPC has one that the engine mounts beneath the exec root, as it cannot be had from another's namespace.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import { mountFlag } from "../native/protocol.ts";
import { isMountPoint } from "../volumes/mountinfo.ts";
import { SHM_SIZE } from "./defaults.ts";
import type { Tools } from "./tools.ts";
import type { ContainerRecord } from "./types.ts";

export type Shm =
  | { readonly kind: "none" }
  /** A tmpfs; bytes. */
  | { readonly kind: "own"; readonly size: number }
  /** A directory of the host. */
  | { readonly kind: "shared"; readonly directory: string };

/** @throws {EngineError} conflict if it wants that of a container that shares nothing */
export function shmOf(tools: Tools, record: ContainerRecord): Shm {
  const { IpcMode: mode = "", ShmSize } = record.hostConfig;
  if (mode === "none") return { kind: "none" };
  if (mode === "host") return { kind: "shared", directory: "/dev/shm" };
  if (mode === "shareable") return { kind: "shared", directory: directoryOf(tools, record.id) };
  if (!mode.startsWith("container:")) return { kind: "own", size: ShmSize || SHM_SIZE };
  const other = tools.registry.find(mode.slice("container:".length));
  const shared = shmOf(tools, other.record);
  if (shared.kind === "shared") return shared;
  throw new EngineError(
    "conflict",
    `failed to join IPC namespace: container ${other.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
}

/** Makes it for a container that lets others join, empty. */
export async function makeShm(tools: Tools, record: ContainerRecord): Promise<void> {
  if (record.hostConfig.IpcMode !== "shareable") return;
  await removeShm(tools, record);
  const target = directoryOf(tools, record.id);
  await mkdir(target, { recursive: true, mode: 0o711 });
  const { nosuid, nodev, noexec } = mountFlag;
  const data = `mode=1777,size=${record.hostConfig.ShmSize || SHM_SIZE}`;
  await tools.mounts.mount({ type: "tmpfs", source: "shm", target, flags: nosuid | nodev | noexec, data });
}

/** Who has joined keeps it. */
export async function removeShm(tools: Tools, record: ContainerRecord): Promise<void> {
  if (record.hostConfig.IpcMode === "shareable") await removeDirectory(tools, record.id);
}

/** Those that a daemon left which was killed while it removed their containers. */
export async function removeOrphanedShm(tools: Tools, alive: ReadonlySet<string>): Promise<void> {
  for (const id of await readdir(rootOf(tools)).catch(() => [])) {
    if (!alive.has(id)) await removeDirectory(tools, id);
  }
}

async function removeDirectory(tools: Tools, id: string): Promise<void> {
  const target = directoryOf(tools, id);
  if (await isMountPoint(target)) await tools.mounts.unmount(target);
  await rm(target, { recursive: true, force: true });
}

function rootOf(tools: Tools): string {
  return join(tools.paths.run, "shm");
}

function directoryOf(tools: Tools, id: string): string {
  return join(rootOf(tools), id);
}
