import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { must } from "./command.ts";

const CGROUPS = "/sys/fs/cgroup";

/** What a sandbox has of its own. */
export interface Marks {
  readonly directory: string;
  readonly cgroupParent: string;
  /** The name of its network namespace, and what /proc shows for it: `net:[4026532000]`. */
  readonly netns: string;
  readonly netnsId: string;
}

/** Lists what a sandbox has left on the machine, and takes it away. Nothing listed: nothing was left. */
export async function removeLeaks(marks: Marks, linksBefore: readonly string[]): Promise<string[]> {
  const leaks: string[] = [];
  for (const pid of processesOf(marks)) {
    leaks.push(`process ${pid}: ${commandLine(pid)}`);
    tryTo(() => process.kill(pid, "SIGKILL"));
  }
  if (leaks.length > 0) await new Promise((resolve) => setTimeout(resolve, 300));
  for (const mount of mountsBelow(marks.directory).reverse()) {
    leaks.push(`mount ${mount}`);
    await must(["umount", "-l", mount]).catch(() => "");
  }
  for (const path of cgroupsOf(marks.cgroupParent)) {
    leaks.push(`cgroup ${path}`);
    tryTo(() => rmdirSync(path));
  }
  for (const parent of cgroupRoots(marks.cgroupParent)) tryTo(() => rmdirSync(parent));
  for (const link of machineLinks()) if (!linksBefore.includes(link)) leaks.push(`link ${link}`);
  return leaks;
}

/** Links of the machine's own network namespace that the tests of this project could have made. */
export function machineLinks(): string[] {
  return readdirSync("/sys/class/net").filter((name) => !name.startsWith("slw-up"));
}

/** Processes in the sandbox's network namespace or cgroups, or that name its directory. */
export function processesOf(marks: Marks): number[] {
  const inCgroups = new Set(
    cgroupRoots(marks.cgroupParent).flatMap((root) =>
      [root, ...descendants(root)].flatMap((path) => lines(join(path, "cgroup.procs")).map(Number)),
    ),
  );
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter(
      (pid) =>
        inCgroups.has(pid) ||
        linkOf(`/proc/${pid}/ns/net`) === marks.netnsId ||
        commandLine(pid).includes(marks.directory),
    );
}

function cgroupRoots(parent: string): string[] {
  const hierarchies = existsSync(join(CGROUPS, "cgroup.controllers"))
    ? [CGROUPS]
    : readdirSync(CGROUPS).map((name) => join(CGROUPS, name));
  return hierarchies.map((path) => join(path, parent)).filter((path) => existsSync(path));
}

/** The groups beneath the parent; the parent itself stays as long as a daemon may come back. */
function cgroupsOf(parent: string): string[] {
  return cgroupRoots(parent).flatMap(descendants);
}

/** Deepest first, as they can be removed. */
function descendants(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => [...descendants(join(path, entry.name)), join(path, entry.name)]);
  } catch {
    return [];
  }
}

function mountsBelow(directory: string): string[] {
  return lines("/proc/self/mountinfo")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${directory}/`));
}

function commandLine(pid: number): string {
  return lines(`/proc/${pid}/cmdline`).join("").replaceAll("\0", " ").trim();
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // it has ended
  }
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // It went away by itself, or is shown as a leak.
  }
}
