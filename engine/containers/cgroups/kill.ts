import { readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Cgroups } from "./detect.ts";
import { cgroupDirectories } from "./operations.ts";

/** Kills what is left in a container's cgroups, and removes them: its monitor, which does that, was lost. */
export async function killGroup(cgroups: Cgroups, path: string): Promise<void> {
  const directories = cgroupDirectories(cgroups, path);
  for (let attempt = 0; attempt < 20; attempt++) {
    let left = 0;
    for (const directory of directories) left += await killProcesses(directory);
    if (left === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const directory of directories) await rmdir(directory).catch(() => {}); // Gone already, or busy: the next start tries again.
}

async function killProcesses(directory: string): Promise<number> {
  const text = await readFile(join(directory, "cgroup.procs"), "utf8").catch(() => "");
  const pids = text.split("\n").filter((line) => line !== "" && line !== "0");
  for (const pid of pids) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
  return pids.length;
}
