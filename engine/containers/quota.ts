/** `--storage-opt size`: how much a container may write, by project quotas where the data root's file system has them. */
import { join } from "node:path";
import { EngineError, messageOf } from "../errors.ts";
import type { Tools } from "./tools.ts";
import type { ContainerRecord, HostConfig } from "./types.ts";

/**
 * @returns bytes; undefined for no limit
 * @throws {EngineError} invalid for an option that there is not and a size that cannot be read
 */
export function storageSize({ StorageOpt }: HostConfig): number | undefined {
  for (const name of Object.keys(StorageOpt ?? {})) {
    if (name !== "size") throw new EngineError("invalid", `Unknown option ${name}`);
  }
  const text = StorageOpt?.["size"];
  if (text === undefined) return undefined;
  const found = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  const power = ["", "k", "m", "g", "t", "p"].indexOf((found?.[2] ?? "").toLowerCase());
  const bytes = Math.floor(Number(found?.[1]) * 1024 ** power);
  if (!(bytes > 0)) throw new EngineError("invalid", `invalid size: '${text}'`);
  return bytes;
}

/**
 * Limits what a container may write, from the first byte on.
 *
 * @throws {EngineError} invalid, saying what is missing, where the file system has no project quotas
 */
export async function limitStorage(tools: Tools, record: ContainerRecord): Promise<void> {
  const bytes = storageSize(record.hostConfig);
  if (bytes === undefined) return;
  const directory = tools.paths.container(record.id);
  try {
    // Both: a file is made in one and renamed into the other, which no project's border lets pass.
    for (const name of ["upper", "work"]) {
      await tools.mounts.limit(join(directory, name), projectOf(record.id), bytes);
    }
  } catch (cause) {
    const where = "xfs with the mount option pquota, or ext4 with prjquota";
    const reason = `--storage-opt is supported only where the data root has project quotas (${where}): ${messageOf(cause)}`;
    throw new EngineError("invalid", reason, { cause });
  }
}

/** Forgets the limit, so that another container with this project's number has its own alone. */
export async function freeStorage(tools: Tools, record: ContainerRecord): Promise<void> {
  if (storageSize(record.hostConfig) === undefined) return;
  await tools.mounts.limit(tools.paths.container(record.id), projectOf(record.id), 0);
}

/** A number that no person gives to a project, and no two of a thousand containers share. */
function projectOf(id: string): number {
  return 0x10000000 + Number.parseInt(id.slice(0, 7), 16);
}
