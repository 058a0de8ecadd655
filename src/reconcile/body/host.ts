import type { HostConfig } from "dockerode";
import type { DeviceRequest, Port, Project, Service } from "../../model/types.ts";
import { parseBytes, parseDuration } from "../../model/units.ts";
import { networksOf } from "../definition.ts";
import { containerName } from "../names.ts";
import type { BodyInput } from "./body.ts";
import { mountFields } from "./mounts.ts";

/** dockerode's type lacks these. */
type Host = HostConfig & {
  Annotations?: Readonly<Record<string, string>> | undefined;
  CgroupnsMode?: string | undefined;
};

export function hostConfig(input: BodyInput): Host {
  const { project, service } = input;
  const { blkio_config: blkio, logging } = service;
  return {
    ...mountFields(input),
    ...resources(service),
    NetworkMode: networkMode(project, service),
    IpcMode: namespaceOf(project, service.ipc),
    PidMode: namespaceOf(project, service.pid),
    UTSMode: namespaceOf(project, service.uts),
    CgroupnsMode: namespaceOf(project, service.cgroup),
    UsernsMode: service.userns_mode,
    CgroupParent: service.cgroup_parent,
    PortBindings: portBindings(service.ports ?? []),
    RestartPolicy: restartPolicy(service),
    LogConfig: logging && { Type: logging.driver ?? "", Config: logging.options ?? {} },
    VolumesFrom: service.volumes_from?.map((from) => volumesFrom(project, from)),
    CapAdd: service.cap_add,
    CapDrop: service.cap_drop,
    Dns: service.dns && [...service.dns],
    DnsOptions: service.dns_opt && [...service.dns_opt],
    DnsSearch: service.dns_search && [...service.dns_search],
    ExtraHosts: service.extra_hosts?.map((host) => host.replace("=", ":")),
    GroupAdd: service.group_add?.map(String),
    Init: service.init,
    Privileged: service.privileged,
    ReadonlyRootfs: service.read_only,
    SecurityOpt: service.security_opt,
    StorageOpt: service.storage_opt && { ...service.storage_opt },
    Sysctls: service.sysctls && { ...service.sysctls },
    Runtime: service.runtime,
    Isolation: service.isolation,
    Annotations: service.annotations,
    OomScoreAdj: service.oom_score_adj,
    OomKillDisable: service.oom_kill_disable,
    BlkioWeight: blkio?.weight,
    BlkioWeightDevice: blkio?.weight_device?.map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: rates(blkio?.device_read_bps),
    BlkioDeviceReadIOps: rates(blkio?.device_read_iops),
    BlkioDeviceWriteBps: rates(blkio?.device_write_bps),
    BlkioDeviceWriteIOps: rates(blkio?.device_write_iops),
  };
}

/** The container of `service:x` by name: the first of the service. */
export function namespaceOf(project: Project, mode: string | undefined): string | undefined {
  if (!mode?.startsWith("service:")) return mode;
  const name = mode.slice("service:".length);
  return `container:${containerName(project, name, 1)}`;
}

export function portBindings(ports: readonly Port[]): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { target, protocol, host_ip, published } of ports) {
    (bindings[`${target}/${protocol ?? "tcp"}`] ??= []).push({
      HostIp: host_ip ?? "",
      HostPort: published ?? "",
    });
  }
  return bindings;
}

function networkMode(project: Project, service: Service): string {
  if (service.network_mode) return namespaceOf(project, service.network_mode)!;
  return networksOf(project, service)[0] ?? "none";
}

function volumesFrom(project: Project, from: string): string {
  if (from.startsWith("container:")) return from.slice("container:".length);
  const [service, mode] = from.split(":") as [string, string?];
  return [containerName(project, service, 1), ...(mode ? [mode] : [])].join(":");
}

/** `restart` wins over `deploy.restart_policy`, whose conditions have other names. */
function restartPolicy({ restart, deploy }: Service): Host["RestartPolicy"] {
  if (restart) {
    const [name, count] = restart.split(":") as [string, string?];
    return { Name: name, ...(count && { MaximumRetryCount: Number(count) }) };
  }
  const policy = deploy?.restart_policy;
  if (!policy) return undefined;
  const names: Readonly<Record<string, string>> = { none: "no", "on-failure": "on-failure", any: "always" };
  const name = names[policy.condition ?? "any"] ?? "always";
  return {
    Name: name,
    ...(name === "on-failure" && policy.max_attempts && { MaximumRetryCount: policy.max_attempts }),
  };
}

function resources(service: Service): Host {
  const limits = service.deploy?.resources?.limits;
  const reserved = service.deploy?.resources?.reservations;
  const bytes = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : text === "-1" ? -1 : parseBytes(text);
  const micro = (value: string | number | undefined): number | undefined =>
    typeof value === "string" ? (/^\d+$/.test(value) ? Number(value) : parseDuration(value) / 1000) : value;
  const cpus = limits?.cpus ?? service.cpus;
  const requests = [...(service.gpus ?? []), ...(reserved?.devices ?? [])].map(deviceRequest);
  return {
    NanoCpus: cpus === undefined ? undefined : Math.round(cpus * 1e9),
    Memory: bytes(limits?.memory ?? service.mem_limit),
    MemoryReservation: bytes(reserved?.memory ?? service.mem_reservation),
    MemorySwap: bytes(service.memswap_limit),
    MemorySwappiness: service.mem_swappiness === undefined ? undefined : Number(service.mem_swappiness),
    PidsLimit: limits?.pids ?? service.pids_limit,
    CpuShares: service.cpu_shares,
    CpuPeriod: micro(service.cpu_period),
    CpuQuota: micro(service.cpu_quota),
    CpuRealtimePeriod: micro(service.cpu_rt_period),
    CpuRealtimeRuntime: micro(service.cpu_rt_runtime),
    CpuCount: service.cpu_count,
    CpuPercent: service.cpu_percent,
    CpusetCpus: service.cpuset,
    ShmSize: bytes(service.shm_size),
    Ulimits: Object.entries(service.ulimits ?? {}).map(([Name, limit]) =>
      typeof limit === "number"
        ? { Name, Soft: limit, Hard: limit }
        : { Name, Soft: limit.soft, Hard: limit.hard },
    ),
    Devices: service.devices?.map(({ source, target, permissions }) => ({
      PathOnHost: source,
      PathInContainer: target ?? source,
      CgroupPermissions: permissions ?? "rwm",
    })),
    DeviceCgroupRules: service.device_cgroup_rules && [...service.device_cgroup_rules],
    DeviceRequests: requests.length > 0 ? requests : undefined,
  };
}

function deviceRequest({ driver, count, device_ids, capabilities, options }: DeviceRequest) {
  return {
    ...(driver && { Driver: driver }),
    ...(count !== undefined && { Count: count }),
    ...(device_ids && { DeviceIDs: [...device_ids] }),
    Capabilities: [[...(capabilities ?? ["gpu"])]],
    ...(options && { Options: { ...options } }),
  };
}

function rates(given: readonly { readonly path: string; readonly rate: string }[] | undefined) {
  return given?.map(({ path, rate }) => ({ Path: path, Rate: Number(rate) }));
}
