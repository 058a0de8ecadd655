import type { Resources } from "../types.ts";
import type { Cgroups } from "./detect.ts";

/** One value for one file of a container's cgroup. `controller` finds the hierarchy on v1. */
export interface LimitWrite {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** Missing where the kernel was built or booted without it (swap accounting, bfq). */
  readonly optional: boolean;
}

/** A block device by the path the user gave, found in /dev beforehand: `8:0`. */
export type DeviceNumbers = ReadonlyMap<string, string>;

/**
 * What to write for a container's limits; nothing for a limit that is not set.
 *
 * @see moby, daemon/oci_linux.go, WithResources; runc, libcontainer/cgroups/fs and fs2
 */
export function limitWrites(
  cgroups: Cgroups,
  resources: Resources,
  devices: DeviceNumbers = new Map(),
): readonly LimitWrite[] {
  return cgroups.version === 1 ? v1(resources, devices) : v2(resources, devices);
}

/** Microseconds of one period unless told otherwise. */
const PERIOD = 100_000;

function cpuTime(resources: Resources): { quota: number; period: number } | undefined {
  const { NanoCpus = 0, CpuQuota = 0, CpuPeriod = 0 } = resources;
  if (NanoCpus > 0) return { quota: Math.floor((NanoCpus * PERIOD) / 1e9), period: PERIOD };
  if (CpuQuota === 0 && CpuPeriod === 0) return undefined;
  return { quota: CpuQuota === 0 ? -1 : CpuQuota, period: CpuPeriod === 0 ? PERIOD : CpuPeriod };
}

function v1(resources: Resources, devices: DeviceNumbers): readonly LimitWrite[] {
  const writes: LimitWrite[] = [];
  const write = (controller: string, file: string, value: string | number, optional = false): void => {
    writes.push({ controller, file, value: String(value), optional });
  };
  const {
    Memory = 0,
    MemorySwap = 0,
    MemoryReservation = 0,
    CpuShares = 0,
    PidsLimit,
    MemorySwappiness,
  } = resources;
  if (Memory > 0) write("memory", "memory.limit_in_bytes", Memory);
  if (Memory > 0 || MemorySwap !== 0) {
    // After the limit, which may not be above it. Absent where swap is not counted.
    write("memory", "memory.memsw.limit_in_bytes", MemorySwap === 0 ? 2 * Memory : MemorySwap, true);
  }
  if (MemoryReservation > 0) write("memory", "memory.soft_limit_in_bytes", MemoryReservation);
  if (MemorySwappiness != null && MemorySwappiness >= 0) {
    write("memory", "memory.swappiness", MemorySwappiness, true);
  }
  if (resources.OomKillDisable) write("memory", "memory.oom_control", 1);
  if (CpuShares > 0) write("cpu", "cpu.shares", CpuShares);
  const time = cpuTime(resources);
  if (time !== undefined) {
    write("cpu", "cpu.cfs_period_us", time.period);
    write("cpu", "cpu.cfs_quota_us", time.quota);
  }
  if (resources.CpuRealtimePeriod) write("cpu", "cpu.rt_period_us", resources.CpuRealtimePeriod);
  if (resources.CpuRealtimeRuntime) write("cpu", "cpu.rt_runtime_us", resources.CpuRealtimeRuntime);
  if (resources.CpusetCpus) write("cpuset", "cpuset.cpus", resources.CpusetCpus);
  if (resources.CpusetMems) write("cpuset", "cpuset.mems", resources.CpusetMems);
  if (PidsLimit != null && PidsLimit !== 0) write("pids", "pids.max", PidsLimit < 0 ? "max" : PidsLimit);
  if (resources.BlkioWeight) {
    write("blkio", "blkio.weight", resources.BlkioWeight, true);
    write("blkio", "blkio.bfq.weight", resources.BlkioWeight, true);
  }
  for (const { Path, Weight } of resources.BlkioWeightDevice ?? []) {
    const value = `${devices.get(Path)} ${Weight}`;
    write("blkio", "blkio.weight_device", value, true);
    write("blkio", "blkio.bfq.weight_device", value, true);
  }
  for (const [list, file] of [
    [resources.BlkioDeviceReadBps, "blkio.throttle.read_bps_device"],
    [resources.BlkioDeviceWriteBps, "blkio.throttle.write_bps_device"],
    [resources.BlkioDeviceReadIOps, "blkio.throttle.read_iops_device"],
    [resources.BlkioDeviceWriteIOps, "blkio.throttle.write_iops_device"],
  ] as const) {
    for (const { Path, Rate } of list ?? []) write("blkio", file, `${devices.get(Path)} ${Rate}`);
  }
  return writes;
}

function v2(resources: Resources, devices: DeviceNumbers): readonly LimitWrite[] {
  const writes: LimitWrite[] = [];
  const write = (controller: string, file: string, value: string | number, optional = false): void => {
    writes.push({ controller, file, value: String(value), optional });
  };
  const { Memory = 0, MemorySwap = 0, MemoryReservation = 0, CpuShares = 0, PidsLimit } = resources;
  if (Memory > 0) write("memory", "memory.max", Memory);
  if (MemorySwap === -1) write("memory", "memory.swap.max", "max", true);
  // Docker's number is memory and swap together, the file's is swap alone.
  else if (Memory > 0) {
    write("memory", "memory.swap.max", MemorySwap === 0 ? Memory : MemorySwap - Memory, true);
  }
  if (MemoryReservation > 0) write("memory", "memory.low", MemoryReservation);
  if (CpuShares > 0) write("cpu", "cpu.weight", cpuWeight(CpuShares));
  const time = cpuTime(resources);
  if (time !== undefined) write("cpu", "cpu.max", `${time.quota < 0 ? "max" : time.quota} ${time.period}`);
  if (resources.CpusetCpus) write("cpuset", "cpuset.cpus", resources.CpusetCpus);
  if (resources.CpusetMems) write("cpuset", "cpuset.mems", resources.CpusetMems);
  if (PidsLimit != null && PidsLimit !== 0) write("pids", "pids.max", PidsLimit < 0 ? "max" : PidsLimit);
  if (resources.BlkioWeight) {
    // The first is there with the scheduler bfq, the other with the controller io.cost.
    write("io", "io.bfq.weight", resources.BlkioWeight, true);
    write("io", "io.weight", ioWeight(resources.BlkioWeight), true);
  }
  for (const { Path, Weight } of resources.BlkioWeightDevice ?? []) {
    write("io", "io.bfq.weight", `${devices.get(Path)} ${Weight}`, true);
  }
  for (const [list, key] of [
    [resources.BlkioDeviceReadBps, "rbps"],
    [resources.BlkioDeviceWriteBps, "wbps"],
    [resources.BlkioDeviceReadIOps, "riops"],
    [resources.BlkioDeviceWriteIOps, "wiops"],
  ] as const) {
    for (const { Path, Rate } of list ?? []) write("io", "io.max", `${devices.get(Path)} ${key}=${Rate}`);
  }
  return writes;
}

/** Shares of 2…262144 to a weight of 1…10000, as runc and systemd convert. */
function cpuWeight(shares: number): number {
  const bounded = Math.min(Math.max(shares, 2), 262144);
  return 1 + Math.floor(((bounded - 2) * 9999) / 262142);
}

/** Weights of 10…1000 to those of io.weight, 1…10000. bfq counts as Docker does. */
function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}
