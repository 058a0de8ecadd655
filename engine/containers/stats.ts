/** How much a container uses, in the shape of GET /containers/{id}/stats. */
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { type Cgroups, controllerMount } from "./cgroups/detect.ts";
import type { Container } from "./container.ts";
import { cgroupPath } from "./spec.ts";
import { formatTime, nowNs } from "./time.ts";
import type { Tools } from "./tools.ts";
import { NEVER } from "./types.ts";

/** One sample. A container that does not run has the zero one. */
export type Sample = Readonly<Record<string, unknown>>;

/** @param before the sample that `precpu_stats` tells of, if there is one */
export async function sampleContainer(
  tools: Tools,
  container: Container,
  before: Sample | undefined,
): Promise<Sample> {
  const about = { name: `/${container.name}`, id: container.id };
  if (container.live === undefined) return { ...ZERO, ...about };
  const { cgroups } = tools.host;
  const [group, networks] = await Promise.all([
    sampleGroup(cgroups, cgroupPath(tools.host, container.record)),
    networkStats(container.live.pid),
  ]);
  return {
    read: formatTime(nowNs()),
    preread: before?.["read"] ?? NEVER,
    pids_stats: group.pids,
    blkio_stats: group.blkio,
    num_procs: 0,
    storage_stats: {},
    cpu_stats: group.cpu,
    precpu_stats: before?.["cpu_stats"] ?? ZERO_CPU,
    memory_stats: group.memory,
    ...about,
    ...(networks === undefined ? {} : { networks }),
  };
}

/** What the kernel counts of a cgroup. @param path relative to the root of the tree */
export async function sampleGroup(
  cgroups: Cgroups,
  path: string,
): Promise<{ readonly cpu: object; readonly memory: object; readonly pids: object; readonly blkio: object }> {
  const files = new GroupFiles(cgroups, path);
  const [cpu, memory, pids, blkio] = await Promise.all([
    cpuStats(files),
    memoryStats(files),
    pidsStats(files),
    blkioStats(files),
  ]);
  return { cpu, memory, pids, blkio };
}

const ZERO_CPU = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

const ZERO: Sample = {
  read: NEVER,
  preread: NEVER,
  pids_stats: {},
  blkio_stats: {
    io_service_bytes_recursive: null,
    io_serviced_recursive: null,
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  },
  num_procs: 0,
  storage_stats: {},
  cpu_stats: ZERO_CPU,
  precpu_stats: ZERO_CPU,
  memory_stats: {},
};

/** The files of a container's cgroup. What is not there reads as nothing. */
class GroupFiles {
  readonly cgroups: Cgroups;
  readonly #path: string;

  constructor(cgroups: Cgroups, path: string) {
    this.cgroups = cgroups;
    this.#path = path;
  }

  async text(controller: string, file: string): Promise<string> {
    const mount = controllerMount(this.cgroups, controller) ?? mountOf(this.cgroups);
    if (mount === undefined) return "";
    return readFile(join(mount, this.#path, file), "utf8").catch(() => "");
  }

  /** `max` reads as 0. */
  async number(controller: string, file: string): Promise<number> {
    const text = (await this.text(controller, file)).trim();
    return /^\d+$/.test(text) ? Number(text) : 0;
  }

  /** Lines of `name number`. */
  async table(controller: string, file: string): Promise<Readonly<Record<string, number>>> {
    const lines = (await this.text(controller, file)).split("\n").filter(Boolean);
    return Object.fromEntries(
      lines.map((line) => line.split(" ")).map(([name = "", value]) => [name, Number(value)]),
    );
  }
}

/** On v2 the files that need no controller, such as cpu.stat, are in the one tree. */
function mountOf(cgroups: Cgroups): string | undefined {
  return cgroups.version === 2 ? cgroups.mount : undefined;
}

/** USER_HZ, in which /proc/stat and cpuacct.stat count; it is 100 on every Linux of today. */
const TICK_NS = 1e7;

async function cpuStats(files: GroupFiles): Promise<object> {
  const system = await systemCpu();
  const online = cpus().length;
  if (files.cgroups.version === 2) {
    const stat = await files.table("cpu", "cpu.stat");
    const ns = (name: string): number => (stat[name] ?? 0) * 1000;
    return {
      cpu_usage: {
        total_usage: ns("usage_usec"),
        usage_in_kernelmode: ns("system_usec"),
        usage_in_usermode: ns("user_usec"),
      },
      system_cpu_usage: system,
      online_cpus: online,
      throttling_data: {
        periods: stat["nr_periods"] ?? 0,
        throttled_periods: stat["nr_throttled"] ?? 0,
        throttled_time: ns("throttled_usec"),
      },
    };
  }
  const [total, each, parts, throttling] = await Promise.all([
    files.number("cpuacct", "cpuacct.usage"),
    files.text("cpuacct", "cpuacct.usage_percpu"),
    files.table("cpuacct", "cpuacct.stat"),
    files.table("cpu", "cpu.stat"),
  ]);
  return {
    cpu_usage: {
      total_usage: total,
      percpu_usage: each.trim().split(/\s+/).map(Number),
      usage_in_kernelmode: (parts["system"] ?? 0) * TICK_NS,
      usage_in_usermode: (parts["user"] ?? 0) * TICK_NS,
    },
    system_cpu_usage: system,
    online_cpus: online,
    throttling_data: {
      periods: throttling["nr_periods"] ?? 0,
      throttled_periods: throttling["nr_throttled"] ?? 0,
      throttled_time: throttling["throttled_time"] ?? 0,
    },
  };
}

/** Nanoseconds that all CPUs have spent since boot, idle ones too. @see proc_stat(5), the first seven of `cpu` */
async function systemCpu(): Promise<number> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const ticks = line.trim().split(/\s+/).slice(1, 8).map(Number);
  return ticks.reduce((sum, value) => sum + value, 0) * TICK_NS;
}

async function memoryStats(files: GroupFiles): Promise<object> {
  if (files.cgroups.version === 2) {
    const [usage, stats, limit] = await Promise.all([
      files.number("memory", "memory.current"),
      files.table("memory", "memory.stat"),
      files.number("memory", "memory.max"),
    ]);
    return { usage, stats, limit: limit || (await machineMemory()) };
  }
  const [usage, max_usage, stats, limit, failcnt] = await Promise.all([
    files.number("memory", "memory.usage_in_bytes"),
    files.number("memory", "memory.max_usage_in_bytes"),
    files.table("memory", "memory.stat"),
    files.number("memory", "memory.limit_in_bytes"),
    files.number("memory", "memory.failcnt"),
  ]);
  const all = await machineMemory();
  return { usage, max_usage, stats, ...(failcnt > 0 ? { failcnt } : {}), limit: Math.min(limit, all) };
}

async function machineMemory(): Promise<number> {
  const found = /^MemTotal:\s+(\d+) kB/m.exec(await readFile("/proc/meminfo", "utf8"));
  return Number(found?.[1] ?? 0) * 1024;
}

async function pidsStats(files: GroupFiles): Promise<object> {
  const [current, limit] = await Promise.all([
    files.number("pids", "pids.current"),
    files.number("pids", "pids.max"),
  ]);
  return { current, ...(limit > 0 ? { limit } : {}) };
}

async function blkioStats(files: GroupFiles): Promise<object> {
  const bytes =
    files.cgroups.version === 2
      ? v2Io(await files.text("io", "io.stat"))
      : v1Io(await files.text("blkio", "blkio.throttle.io_service_bytes_recursive"));
  const ZERO_BLKIO = ZERO["blkio_stats"] as object;
  return { ...ZERO_BLKIO, io_service_bytes_recursive: bytes.length === 0 ? null : bytes };
}

interface IoEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

/** `8:0 Read 4096` */
function v1Io(text: string): readonly IoEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, op = "", value]) => ({
    major: Number(major),
    minor: Number(minor),
    op: op.toLowerCase(),
    value: Number(value),
  }));
}

/** `8:0 rbytes=4096 wbytes=0 …` */
function v2Io(text: string): readonly IoEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) rbytes=(\d+) wbytes=(\d+)/gm)].flatMap(
    ([, major, minor, read, write]) => {
      const device = { major: Number(major), minor: Number(minor) };
      return [
        { ...device, op: "read", value: Number(read) },
        { ...device, op: "write", value: Number(write) },
      ];
    },
  );
}

/** By interface, without the loopback; undefined if the container's namespace is gone. @see /proc/PID/net/dev */
async function networkStats(pid: number): Promise<Readonly<Record<string, object>> | undefined> {
  const text = await readFile(`/proc/${pid}/net/dev`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const rows = text
    .split("\n")
    .map((line) => /^\s*([^:\s]+):\s*(.*)$/.exec(line))
    .filter((found) => found !== null && found[1] !== "lo");
  return Object.fromEntries(
    rows.map((found) => {
      const values = (found?.[2] ?? "").trim().split(/\s+/).map(Number);
      const [rx_bytes, rx_packets, rx_errors, rx_dropped] = values;
      const [tx_bytes, tx_packets, tx_errors, tx_dropped] = values.slice(8);
      return [
        found?.[1] ?? "",
        { rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes, tx_packets, tx_errors, tx_dropped },
      ];
    }),
  );
}
