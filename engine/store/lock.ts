import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { EngineError } from "../errors.ts";

/** Held by one daemon at a time over a data root; two would write over each other's records. */
export interface DataLock {
  release(): Promise<void>;
}

/**
 * Takes the lock file, or takes it over from a process that is gone.
 *
 * Node has no flock(2), so the file names its owner by pid and start time, which no later process shares.
 *
 * @throws {EngineError} conflict if its owner is alive; the message names the pid
 */
export async function lockData(path: string): Promise<DataLock> {
  const mine = `${process.pid} ${await startTime(process.pid)}\n`;
  const prepared = `${path}.${process.pid}`;
  await writeFile(prepared, mine, { mode: 0o600 });
  try {
    for (;;) {
      if (await tryLink(prepared, path)) return { release: () => release(path, mine) };
      const owner = await readFile(path, "utf8").catch(() => undefined);
      if (owner === undefined) continue;
      const [pid, start] = owner.trim().split(" ");
      if (pid !== undefined && start !== undefined && (await startTime(Number(pid))) === start) {
        throw new EngineError("conflict", `another daemon (process ${pid}) uses this data root: ${path}`);
      }
      await takeAway(path, owner);
    }
  } finally {
    await rm(prepared, { force: true });
  }
}

/** Removes a dead owner's file; if another starter replaced it in between, its file is put back. */
async function takeAway(path: string, dead: string): Promise<void> {
  const aside = `${path}.${process.pid}.old`;
  try {
    await rename(path, aside);
  } catch {
    return; // Another starter was faster.
  }
  if ((await readFile(aside, "utf8")) !== dead) await tryLink(aside, path);
  await rm(aside, { force: true });
}

async function release(path: string, mine: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => "")) === mine) await rm(path, { force: true });
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
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
