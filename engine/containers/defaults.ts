/** Values that Docker applies to every container, as of 2026. */

import { readFileSync } from "node:fs";

/** Hidden: they tell about the machine or the neighbours. */
export const MASKED_PATHS: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

/** Would change the machine. */
export const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/** For a container with a network namespace of its own: any user may bind low ports and ping. */
export function networkSysctls(): Readonly<Record<string, string>> {
  return {
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": `0 ${highestGroup()}`,
  };
}

/** The kernel takes no group that the engine's user namespace does not have, and none above a signed 32-bit number. */
function highestGroup(): number {
  const lines = readFileSync("/proc/self/gid_map", "utf8").trim().split("\n");
  const ends = lines.map((line) => {
    const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return inside + count - 1;
  });
  return Math.min(Math.max(...ends), 0x7fffffff);
}

/** Bytes of /dev/shm. */
export const SHM_SIZE = 64 << 20;

/** Seconds between the stop signal and SIGKILL. */
export const STOP_TIMEOUT = 10;
