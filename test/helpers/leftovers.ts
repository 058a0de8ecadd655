import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * Everything on the machine that tests of this project make and have to take away again: processes of the native
 * program, network namespaces, links, mounts, control groups and directories. One line each.
 */
export function leftovers(): string[] {
  return [
    ...names("/proc")
      .filter((pid) => /^\d+$/.test(pid) && link(`/proc/${pid}/exe`).includes("slipway-native"))
      .map((pid) => `process ${pid} ${text(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`),
    ...names("/run/netns")
      .filter(isOurs)
      .map((name) => `network namespace ${name}`),
    ...names("/sys/class/net")
      .filter(isOurs)
      .map((name) => `link ${name}`),
    ...text("/proc/self/mountinfo")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.split("/").some(isOurs))
      .map((path) => `mount ${path}`),
    ...["/sys/fs/cgroup", ...names("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name))]
      .flatMap((root) => names(root).map((name) => join(root, name)))
      .filter((path) => isOurs(path.slice(path.lastIndexOf("/") + 1)))
      .map((path) => `control group ${path}`),
    ...["/tmp", "/var/tmp"]
      .flatMap((root) => names(root).map((name) => join(root, name)))
      .filter((path) => isOurs(path.slice(path.lastIndexOf("/") + 1)))
      .map((path) => `directory ${path}`),
  ];
}

const isOurs = (name: string): boolean => /^(slw|slipway-)/.test(name);

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** Empty for what went away while we looked. */
function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
