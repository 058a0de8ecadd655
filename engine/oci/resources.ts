/** `linux.resources` of a bundle, and of `update`, in the terms of the engine's own containers. */

import type { Cgroups } from "../containers/cgroups/detect.ts";
import { type LimitWrite, limitWrites } from "../containers/cgroups/limits.ts";
import { DEFAULT_RULES, type DeviceRule } from "../containers/devices.ts";
import { EngineError } from "../errors.ts";
import type { OciResources, OciThrottle, OciWeight } from "./config.ts";

/**
 * What is to be written to the container's cgroup.
 *
 * @throws {EngineError} invalid for a file of `unified` that is a path; notImplemented for limits that are not known here
 */
export function resourceWrites(cgroups: Cgroups, resources: OciResources): readonly LimitWrite[] {
  for (const name of ["network", "rdma", "hugepageLimits"] as const) {
    const value = resources[name];
    if (value !== undefined && value !== null && Object.keys(value).length > 0) {
      throw new EngineError("notImplemented", `linux.resources.${name} is not supported`);
    }
  }
  const { memory, cpu, pids, blockIO } = {
    memory: resources.memory ?? {},
    cpu: resources.cpu ?? {},
    pids: resources.pids ?? {},
    blockIO: resources.blockIO ?? {},
  };
  const devices = new Map<string, string>();
  const throttle = (list: readonly OciThrottle[] | undefined) =>
    (list ?? []).map(({ major, minor, rate }) => {
      const Path = `${major}:${minor}`;
      devices.set(Path, Path);
      return { Path, Rate: rate };
    });
  const weights = (list: readonly OciWeight[] | undefined) =>
    (list ?? []).flatMap(({ major, minor, weight }) => {
      const Path = `${major}:${minor}`;
      devices.set(Path, Path);
      return weight === undefined ? [] : [{ Path, Weight: weight }];
    });
  const limits = {
    Memory: memory.limit ?? 0,
    MemorySwap: memory.swap ?? 0,
    MemoryReservation: memory.reservation ?? 0,
    MemorySwappiness: memory.swappiness ?? null,
    OomKillDisable: memory.disableOOMKiller ?? false,
    CpuShares: cpu.shares ?? 0,
    CpuQuota: cpu.quota ?? 0,
    CpuPeriod: cpu.period ?? 0,
    CpuRealtimePeriod: cpu.realtimePeriod ?? 0,
    CpuRealtimeRuntime: cpu.realtimeRuntime ?? 0,
    CpusetCpus: cpu.cpus ?? "",
    CpusetMems: cpu.mems ?? "",
    // In a bundle 0 is no limit, as -1 is; absent leaves it as it is.
    PidsLimit: pids.limit === 0 ? -1 : (pids.limit ?? null),
    BlkioWeight: blockIO.weight ?? 0,
    BlkioWeightDevice: weights(blockIO.weightDevice),
    BlkioDeviceReadBps: throttle(blockIO.throttleReadBpsDevice),
    BlkioDeviceWriteBps: throttle(blockIO.throttleWriteBpsDevice),
    BlkioDeviceReadIOps: throttle(blockIO.throttleReadIOPSDevice),
    BlkioDeviceWriteIOps: throttle(blockIO.throttleWriteIOPSDevice),
  };
  const writes = limitWrites(cgroups, limits, devices);
  return [
    // Docker limits swap with memory; a bundle that does not speak of swap leaves it as it is.
    ...writes.filter(({ file }) => memory.swap !== undefined || !/swap\.max$|memsw/.test(file)),
    ...unifiedWrites(cgroups, resources.unified ?? {}),
  ];
}

/** Files of cgroup v2, by name; they win over the limits above. */
function unifiedWrites(cgroups: Cgroups, files: Readonly<Record<string, string>>): readonly LimitWrite[] {
  return Object.entries(files).map(([file, value]) => {
    if (cgroups.version === 1) throw new EngineError("invalid", "linux.resources.unified needs cgroup v2");
    if (!/^[a-z_]+\.[a-z0-9_.]+$/i.test(file)) {
      throw new EngineError("invalid", `linux.resources.unified: ${file} is no file of a cgroup`);
    }
    return { controller: file.slice(0, file.indexOf(".")), file, value, optional: false };
  });
}

/** Without rules everything is left open, as the specification has it. */
export function deviceRules(resources: OciResources): readonly DeviceRule[] | undefined {
  const rules = resources.devices ?? [];
  if (rules.length === 0) return undefined;
  const every = rules.at(-1);
  if (every?.allow && (every.type ?? "a") === "a" && every.major === undefined) return undefined;
  const number = (value: number | undefined): number | undefined => (value === -1 ? undefined : value);
  const asked = rules
    .filter(({ allow, type = "a" }) => allow || type !== "a")
    .map(({ allow, type = "a", major, minor, access = "rwm" }) => ({
      allow,
      type: type as DeviceRule["type"],
      major: number(major),
      minor: number(minor),
      access,
    }));
  // What every container may use comes after what is asked for, as with runc.
  return [...asked, ...DEFAULT_RULES.filter(({ allow }) => allow)];
}
