import { readdirSync, readFileSync } from "node:fs";

/** The processes of this name, as /proc/PID/comm has it. */
export function pidsOf(name: string): number[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && readOf(`/proc/${pid}/comm`).trim() === name)
    .map(Number);
}

/** What a file of /proc says; nothing if its process is gone. */
export function readOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Memory of a process: `Rss` all that is in it, `Pss` with what it shares counted in parts. */
export function kilobytesOf(pid: number, what: "Rss" | "Pss"): number {
  const line = new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(readOf(`/proc/${pid}/smaps_rollup`));
  return Number(line?.[1] ?? 0);
}
