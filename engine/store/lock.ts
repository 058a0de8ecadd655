import { lstat, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { EngineError } from "../errors.ts";

/** Held by one daemon at a time over a data root; two would write over each other's records. */
export interface DataLock {
  release(): Promise<void>;
}

/**
 * Takes the lock, or takes it over from a process that is gone.
 *
 * Node has no flock(2), so it names its owner by pid and start time, which no later process shares. It is a symbolic link
 * that leads nowhere: that is made as a whole or not at all, and there is room for it on a full disk.
 *
 * @throws {EngineError} conflict if its owner is alive; the message names the pid
 */
export async function lockData(path: string): Promise<DataLock> {
  const mine = `${process.pid} ${await startTime(process.pid)}`;
  for (;;) {
    if (await tryLink(mine, path)) return { release: () => release(path, mine) };
    const owner = await ownerOf(path);
    if (owner === undefined) continue;
    const [pid, start] = owner.split(" ");
    if (pid !== undefined && start !== undefined && (await startTime(Number(pid))) === start) {
      throw new EngineError("conflict", `another daemon (process ${pid}) uses this data root: ${path}`);
    }
    await takeAway(path, owner);
  }
}

/** Removes a dead owner's lock; if another starter replaced it in between, its lock is put back. */
async function takeAway(path: string, dead: string): Promise<void> {
  const aside = `${path}.${process.pid}.old`;
  try {
    await rename(path, aside);
  } catch {
    return; // Another starter was faster.
  }
  const owner = await ownerOf(aside);
  if (owner !== undefined && owner !== dead) await tryLink(owner, path);
  await rm(aside, { force: true });
}

async function release(path: string, mine: string): Promise<void> {
  if ((await ownerOf(path)) === mine) await rm(path, { force: true });
}

/** @returns undefined if there is no lock; earlier versions of the engine wrote a file */
async function ownerOf(path: string): Promise<string | undefined> {
  const info = await lstat(path).catch(() => undefined);
  if (info === undefined) return undefined;
  if (info.isSymbolicLink()) return readlink(path).catch(() => undefined);
  return (await readFile(path, "utf8").catch(() => "")).trim();
}

async function tryLink(owner: string, path: string): Promise<boolean> {
  try {
    await symlink(owner, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * When a process started, in clock ticks since boot with the boot's own id: together they name one process for ever.
 *
 * @returns undefined if there is no such process
 * @see proc_pid_stat(5), field 22; the name in field 2 may hold spaces and parentheses
 */
async function startTime(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
    ]);
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${ticks}@${boot.trim()}`;
  } catch {
    return undefined;
  }
}
