import { cpus } from "node:os";
import { EngineError } from "../errors.ts";
import { SHM_SIZE } from "./defaults.ts";
import { logSettings } from "./logs/settings.ts";
import { storageSize } from "./quota.ts";
import { parseSecurity } from "./security.ts";
import type { HostConfig } from "./types.ts";

const MEMORY_MINIMUM = 6 << 20;

/**
 * The host configuration as the engine goes by it and inspect shows it: the request with every default filled in.
 *
 * @throws {EngineError} invalid, in Docker's words, for values that contradict each other or the machine's limits
 */
export function completeHostConfig(asked: HostConfig): HostConfig {
  check(asked);
  const security = parseSecurity(asked);
  const memory = asked.Memory ?? 0;
  return {
    Binds: asked.Binds ?? null,
    ContainerIDFile: asked.ContainerIDFile ?? "",
    LogConfig: { Type: asked.LogConfig?.Type || "json-file", Config: asked.LogConfig?.Config ?? {} },
    NetworkMode: networkMode(asked.NetworkMode ?? ""),
    PortBindings: withProtocol(asked.PortBindings ?? {}),
    RestartPolicy: {
      Name: asked.RestartPolicy?.Name || "no",
      MaximumRetryCount: asked.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    AutoRemove: asked.AutoRemove ?? false,
    VolumeDriver: asked.VolumeDriver ?? "",
    VolumesFrom: asked.VolumesFrom ?? null,
    ConsoleSize: asked.ConsoleSize ?? [0, 0],
    ...(asked.Annotations == null ? {} : { Annotations: asked.Annotations }),
    CapAdd: asked.CapAdd ?? null,
    CapDrop: asked.CapDrop ?? null,
    CgroupnsMode: asked.CgroupnsMode || "private",
    Dns: asked.Dns ?? [],
    DnsOptions: asked.DnsOptions ?? [],
    DnsSearch: asked.DnsSearch ?? [],
    ExtraHosts: asked.ExtraHosts ?? null,
    GroupAdd: asked.GroupAdd ?? null,
    IpcMode: asked.IpcMode || "private",
    Cgroup: asked.Cgroup ?? "",
    Links: asked.Links ?? null,
    OomScoreAdj: asked.OomScoreAdj ?? 0,
    PidMode: asked.PidMode ?? "",
    Privileged: asked.Privileged ?? false,
    PublishAllPorts: asked.PublishAllPorts ?? false,
    ReadonlyRootfs: asked.ReadonlyRootfs ?? false,
    SecurityOpt: asked.SecurityOpt ?? null,
    ...(asked.StorageOpt == null ? {} : { StorageOpt: asked.StorageOpt }),
    ...(asked.Tmpfs == null ? {} : { Tmpfs: asked.Tmpfs }),
    UTSMode: asked.UTSMode ?? "",
    UsernsMode: asked.UsernsMode ?? "",
    ShmSize: asked.ShmSize || SHM_SIZE,
    ...(asked.Sysctls == null ? {} : { Sysctls: asked.Sysctls }),
    Runtime: asked.Runtime || "slipway",
    Isolation: "",
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    CpuShares: asked.CpuShares ?? 0,
    Memory: memory,
    NanoCpus: asked.NanoCpus ?? 0,
    CgroupParent: asked.CgroupParent ?? "",
    BlkioWeight: asked.BlkioWeight ?? 0,
    BlkioWeightDevice: asked.BlkioWeightDevice ?? [],
    BlkioDeviceReadBps: asked.BlkioDeviceReadBps ?? [],
    BlkioDeviceWriteBps: asked.BlkioDeviceWriteBps ?? [],
    BlkioDeviceReadIOps: asked.BlkioDeviceReadIOps ?? [],
    BlkioDeviceWriteIOps: asked.BlkioDeviceWriteIOps ?? [],
    CpuPeriod: asked.CpuPeriod ?? 0,
    CpuQuota: asked.CpuQuota ?? 0,
    CpuRealtimePeriod: asked.CpuRealtimePeriod ?? 0,
    CpuRealtimeRuntime: asked.CpuRealtimeRuntime ?? 0,
    CpusetCpus: asked.CpusetCpus ?? "",
    CpusetMems: asked.CpusetMems ?? "",
    Devices: asked.Devices ?? [],
    DeviceCgroupRules: asked.DeviceCgroupRules ?? null,
    DeviceRequests: asked.DeviceRequests ?? null,
    MemoryReservation: asked.MemoryReservation ?? 0,
    // Docker's rule: as much swap as memory, unless told otherwise.
    MemorySwap: asked.MemorySwap || (memory > 0 ? 2 * memory : 0),
    MemorySwappiness: asked.MemorySwappiness === -1 ? null : (asked.MemorySwappiness ?? null),
    OomKillDisable: asked.OomKillDisable ?? false,
    PidsLimit: (asked.PidsLimit ?? 0) > 0 ? (asked.PidsLimit ?? null) : null,
    Ulimits: asked.Ulimits ?? [],
    ...(asked.Init == null ? {} : { Init: asked.Init }),
    ...(asked.Mounts == null ? {} : { Mounts: asked.Mounts }),
    MaskedPaths: security.masked,
    ReadonlyPaths: security.readonlyPaths,
  };
}

/** `default` and nothing are both the default bridge. */
function networkMode(asked: string): string {
  return asked === "" || asked === "default" ? "bridge" : asked;
}

function withProtocol(
  bindings: NonNullable<HostConfig["PortBindings"]>,
): NonNullable<HostConfig["PortBindings"]> {
  return Object.fromEntries(
    Object.entries(bindings).map(([port, hosts]) => [port.includes("/") ? port : `${port}/tcp`, hosts]),
  );
}

function check(asked: HostConfig): void {
  const refuse = (condition: boolean, message: string): void => {
    if (condition) throw new EngineError("invalid", message);
  };
  const {
    Memory = 0,
    MemorySwap = 0,
    MemoryReservation = 0,
    NanoCpus = 0,
    CpuQuota = 0,
    CpuPeriod = 0,
  } = asked;
  refuse(Memory !== 0 && Memory < MEMORY_MINIMUM, "Minimum memory limit allowed is 6MB");
  refuse(
    Memory > 0 && MemorySwap > 0 && MemorySwap < Memory,
    "Minimum memoryswap limit should be larger than memory limit, see usage",
  );
  refuse(
    Memory === 0 && MemorySwap > 0,
    "You should always set the Memory limit when using Memoryswap limit, see usage",
  );
  refuse(
    Memory > 0 && MemoryReservation > 0 && Memory < MemoryReservation,
    "Minimum memory limit can not be less than memory reservation limit, see usage",
  );
  // Counting them reads files: only where it matters.
  const online = NanoCpus === 0 ? 0 : cpus().length;
  refuse(
    NanoCpus < 0 || NanoCpus > online * 1e9,
    `Range of CPUs is from 0.01 to ${online.toFixed(2)}, as there are only ${online} CPUs available`,
  );
  refuse(
    MemoryReservation > 0 && MemoryReservation < MEMORY_MINIMUM,
    "Minimum memory reservation allowed is 6MB",
  );
  refuse(NanoCpus > 0 && CpuPeriod > 0, "Conflicting options: Nano CPUs and CPU Period cannot both be set");
  refuse(NanoCpus > 0 && CpuQuota > 0, "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  refuse(
    CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000),
    "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
  );
  refuse(CpuQuota > 0 && CpuQuota < 1000, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
  const swappiness = asked.MemorySwappiness ?? -1;
  refuse(
    swappiness < -1 || swappiness > 100,
    `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`,
  );
  const adjustment = asked.OomScoreAdj ?? 0;
  refuse(
    adjustment < -1000 || adjustment > 1000,
    `Invalid value ${adjustment}, range for oom score adj is [-1000, 1000]`,
  );
  const weight = asked.BlkioWeight ?? 0;
  refuse(weight !== 0 && (weight < 10 || weight > 1000), "Range of blkio weight is from 10 to 1000");
  refuse((asked.ShmSize ?? 0) < 0, "SHM size can not be less than 0");
  for (const cpus of [asked.CpusetCpus ?? "", asked.CpusetMems ?? ""]) {
    refuse(!isCpuList(cpus), `Invalid value ${cpus} for cpuset cpus: invalid format: ${cpus}`);
  }
  const [request] = asked.DeviceRequests ?? [];
  if (request != null) {
    const { Driver = "", Capabilities } = request as { Driver?: string; Capabilities?: string[][] };
    const wanted = (Capabilities ?? []).map((each) => `[${each.join(" ")}]`).join(" ");
    refuse(true, `could not select device driver "${Driver}" with capabilities: [${wanted}]`);
  }
  const runtime = asked.Runtime ?? "";
  refuse(!["", "slipway", "runc"].includes(runtime), `unknown or invalid runtime name: ${runtime}`);
  const isolation = asked.Isolation ?? "";
  refuse(
    !["", "default"].includes(isolation.toLowerCase()),
    `Invalid isolation: ${JSON.stringify(isolation)} - linux only supports 'default'`,
  );
  storageSize(asked);
  const policy = asked.RestartPolicy?.Name ?? "";
  refuse(
    asked.AutoRemove === true && policy !== "" && policy !== "no",
    "can't create 'AutoRemove' container with restart policy",
  );
  logSettings(asked);
  for (const [name, what, allowed] of MODES) {
    const mode = (asked[name] as string | undefined) ?? "";
    refuse(!allowed.test(mode), `invalid ${what} mode: ${mode}`);
  }
}

const MODES = [
  ["PidMode", "PID", /^(|host|container:.+)$/],
  ["IpcMode", "IPC", /^(|none|host|private|shareable|container:.+)$/],
  ["UTSMode", "UTS", /^(|host)$/],
  ["CgroupnsMode", "cgroup namespace", /^(|host|private)$/],
  ["UsernsMode", "USERNS", /^(|host)$/],
] as const;

/** `0-3,5`. Numbers are bounded, so that nobody has to hold a list of ten thousand million (CVE-2018-20699). */
function isCpuList(text: string): boolean {
  return text === "" || /^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(text);
}
