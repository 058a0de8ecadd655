/** Docker's flags for a new container as the body of `POST /containers/create`. */
import { readFileSync } from "node:fs";
import type { CreateContainerOptions } from "../../client/types/containers.ts";
import { AppError } from "../../errors.ts";
import { PortError, parsePort, type ShortPort } from "../../model/ports.ts";
import { parseBytes, parseDuration } from "../../model/units.ts";
import { readPairs } from "../objects.ts";
import { readEnvironment } from "../options.ts";
import { readMount, readVolumes } from "./mounts.ts";

type Texts = readonly string[] | undefined;

/** The values of `createFlags`. */
export type CreateValues = {
  readonly [flag: string]: string | number | boolean | readonly string[] | undefined;
};

/** @throws {AppError} USAGE */
export function createBody(
  image: string,
  command: readonly string[],
  values: CreateValues,
  attached: readonly ("stdin" | "stdout" | "stderr")[],
): CreateContainerOptions {
  const text = (flag: string): string | undefined => (values[flag] as string | undefined) || undefined;
  const list = (flag: string): Texts => values[flag] as Texts;
  const given = (flag: string): boolean => values[flag] === true;
  const ports = (list("publish") ?? []).flatMap(readPort);
  const volumes = readVolumes(list("volume") ?? []);
  const body = {
    Image: image,
    Cmd: command.length > 0 ? command : undefined,
    Entrypoint: values["entrypoint"] === undefined ? undefined : [values["entrypoint"]],
    Env: [...(list("env-file") ?? []).flatMap(readVariables), ...readEnvironment(list("env"))],
    Labels: readPairs([...(list("label-file") ?? []).flatMap(linesOf), ...(list("label") ?? [])]),
    Tty: given("tty"),
    OpenStdin: given("interactive"),
    StdinOnce: attached.includes("stdin"),
    AttachStdin: attached.includes("stdin"),
    AttachStdout: attached.includes("stdout"),
    AttachStderr: attached.includes("stderr"),
    User: text("user"),
    WorkingDir: text("workdir"),
    Hostname: text("hostname"),
    Domainname: text("domainname"),
    StopSignal: text("stop-signal"),
    StopTimeout: values["stop-timeout"],
    Healthcheck: healthcheck(values),
    Volumes: volumes.anonymous,
    ExposedPorts: Object.fromEntries(
      [...ports.map(({ target, protocol }) => `${target}/${protocol}`), ...exposed(list("expose"))].map(
        (port) => [port, {}],
      ),
    ),
    HostConfig: dropAbsent({ ...hostConfig(values), Binds: volumes.binds, PortBindings: bindings(ports) }),
    NetworkingConfig: networking(values),
  };
  return dropAbsent(body) as unknown as CreateContainerOptions;
}

function hostConfig(values: CreateValues): object {
  const text = (flag: string): string | undefined => (values[flag] as string | undefined) || undefined;
  const list = (flag: string): Texts => values[flag] as Texts;
  const bytes = (flag: string): number | undefined => amount(flag, text(flag));
  const [policy, count] = (text("restart") ?? "").split(":");
  const cpus = text("cpus");
  return {
    AutoRemove: values["rm"],
    Privileged: values["privileged"],
    PublishAllPorts: values["publish-all"],
    ReadonlyRootfs: values["read-only"],
    Init: values["init"],
    NetworkMode: list("network")?.[0],
    RestartPolicy: policy ? { Name: policy, MaximumRetryCount: Number(count ?? 0) } : undefined,
    Annotations: list("annotation") && readPairs(list("annotation")),
    Runtime: text("runtime"),
    LogConfig:
      text("log-driver") || list("log-opt")
        ? { Type: text("log-driver") ?? "", Config: readPairs(list("log-opt")) }
        : undefined,
    Mounts: list("mount")?.map(readMount),
    Tmpfs: list("tmpfs") && Object.fromEntries(list("tmpfs")!.map((each) => halves(each, ":"))),
    VolumesFrom: list("volumes-from"),
    VolumeDriver: text("volume-driver"),
    StorageOpt: list("storage-opt") && readPairs(list("storage-opt")),
    Devices: list("device")?.map(readDevice),
    DeviceCgroupRules: list("device-cgroup-rule"),
    DeviceRequests: text("gpus") ? [gpuRequest(text("gpus")!)] : undefined,
    GroupAdd: list("group-add"),
    CapAdd: list("cap-add"),
    CapDrop: list("cap-drop"),
    SecurityOpt: list("security-opt")?.map(securityOption),
    Sysctls: list("sysctl") && readPairs(list("sysctl")),
    Ulimits: list("ulimit")?.map(readUlimit),
    CgroupnsMode: text("cgroupns"),
    IpcMode: text("ipc"),
    PidMode: text("pid"),
    UsernsMode: text("userns"),
    UTSMode: text("uts"),
    ExtraHosts: list("add-host")?.map((host) => host.replace("=", ":")),
    Dns: list("dns"),
    DnsSearch: list("dns-search"),
    DnsOptions: list("dns-option"),
    Links: list("link"),
    NanoCpus: cpus === undefined ? undefined : Math.round(number("cpus", cpus) * 1e9),
    CpuShares: values["cpu-shares"],
    CpuPeriod: values["cpu-period"],
    CpuQuota: values["cpu-quota"],
    CpuRealtimePeriod: values["cpu-rt-period"],
    CpuRealtimeRuntime: values["cpu-rt-runtime"],
    CpusetCpus: text("cpuset-cpus"),
    CpusetMems: text("cpuset-mems"),
    Memory: bytes("memory"),
    MemoryReservation: bytes("memory-reservation"),
    MemorySwap: bytes("memory-swap"),
    MemorySwappiness: values["memory-swappiness"],
    PidsLimit: values["pids-limit"],
    ShmSize: bytes("shm-size"),
    OomKillDisable: values["oom-kill-disable"] || undefined,
    OomScoreAdj: values["oom-score-adj"],
    CgroupParent: text("cgroup-parent"),
    BlkioWeight: values["blkio-weight"],
    BlkioWeightDevice: list("blkio-weight-device")?.map((each) => ({
      Path: halves(each, ":")[0],
      Weight: number("blkio-weight-device", halves(each, ":")[1]),
    })),
    BlkioDeviceReadBps: rates("device-read-bps", list("device-read-bps")),
    BlkioDeviceWriteBps: rates("device-write-bps", list("device-write-bps")),
    BlkioDeviceReadIOps: rates("device-read-iops", list("device-read-iops")),
    BlkioDeviceWriteIOps: rates("device-write-iops", list("device-write-iops")),
  };
}

/** Addresses and names belong to the first network, as in Docker's command. */
function networking(values: CreateValues): object | undefined {
  const list = (flag: string): Texts => values[flag] as Texts;
  const [first, ...more] = list("network") ?? [];
  const addresses = dropAbsent({
    IPv4Address: values["ip"],
    IPv6Address: values["ip6"],
    LinkLocalIPs: list("link-local-ip"),
  });
  const own = dropAbsent({
    IPAMConfig: Object.keys(addresses).length > 0 ? addresses : undefined,
    Aliases: list("network-alias"),
    MacAddress: values["mac-address"],
  });
  if (Object.keys(own).length === 0 && more.length === 0) return undefined;
  return {
    EndpointsConfig: { [first ?? "default"]: own, ...Object.fromEntries(more.map((name) => [name, {}])) },
  };
}

function healthcheck(values: CreateValues): object | undefined {
  if (values["no-healthcheck"] === true) return { Test: ["NONE"] };
  const time = (flag: string): number | undefined => {
    const text = values[flag] as string | undefined;
    return text === undefined ? undefined : usage(flag, text, () => parseDuration(text));
  };
  const command = values["health-cmd"] as string | undefined;
  const check = dropAbsent({
    Test: command === undefined ? undefined : ["CMD-SHELL", command],
    Interval: time("health-interval"),
    Timeout: time("health-timeout"),
    StartPeriod: time("health-start-period"),
    StartInterval: time("health-start-interval"),
    Retries: values["health-retries"],
  });
  return Object.keys(check).length > 0 ? check : undefined;
}

function readPort(text: string): ShortPort[] {
  try {
    return parsePort(text);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw new AppError("USAGE", `--publish ${text}: ${error.message}`, {
      hint: "Write [IP:][PORT:]PORT[/udp]; each may be a range.",
    });
  }
}

function bindings(ports: readonly ShortPort[]): object {
  const found: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { target, protocol, host_ip, published } of ports)
    (found[`${target}/${protocol}`] ??= []).push({ HostIp: host_ip ?? "", HostPort: published ?? "" });
  return found;
}

function exposed(texts: Texts = []): string[] {
  return texts.flatMap(readPort).map(({ target, protocol }) => `${target}/${protocol}`);
}

function readDevice(text: string): object {
  const [host = "", inside, permissions] = text.split(":");
  const isRule = inside !== undefined && /^[rwm]+$/.test(inside);
  return {
    PathOnHost: host,
    PathInContainer: isRule || !inside ? host : inside,
    CgroupPermissions: (isRule ? inside : permissions) ?? "rwm",
  };
}

function gpuRequest(text: string): object {
  const [, ids] = /^"?device=([^"]*)"?$/.exec(text) ?? [];
  if (ids !== undefined) return { DeviceIDs: ids.split(","), Capabilities: [["gpu"]] };
  return { Count: text === "all" ? -1 : number("gpus", text), Capabilities: [["gpu"]] };
}

/** A seccomp profile is a file here; the engine gets its text. */
function securityOption(text: string): string {
  const [, file] = /^seccomp[=:](.*)$/.exec(text) ?? [];
  if (file === undefined || file === "unconfined" || file === "builtin") return text;
  return `seccomp=${readFile(file)}`;
}

function readUlimit(text: string): object {
  const [, Name, soft, hard] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (Name === undefined) throw new AppError("USAGE", `--ulimit ${text}: write NAME=SOFT[:HARD]`);
  return { Name, Soft: Number(soft), Hard: Number(hard ?? soft) };
}

function rates(flag: string, texts: Texts): object[] | undefined {
  return texts?.map((text) => {
    const [Path, rate] = halves(text, ":");
    return { Path, Rate: flag.endsWith("bps") ? amount(flag, rate) : number(flag, rate) };
  });
}

function amount(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : usage(flag, text, () => parseBytes(text));
}

function number(flag: string, text: string): number {
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) throw new AppError("USAGE", `--${flag} ${text}: that is no number`);
  return value;
}

function usage<T>(flag: string, text: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new AppError("USAGE", `--${flag} ${text}: ${(error as Error).message}`);
  }
}

/** `KEY=VALUE` lines as they are; `KEY` alone passes ours on, if we have it. */
export function readVariables(file: string): string[] {
  return linesOf(file).flatMap((line) => {
    if (line.includes("=")) return [line];
    const own = process.env[line];
    return own === undefined ? [] : [`${line}=${own}`];
  });
}

function linesOf(file: string): string[] {
  return readFile(file)
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("SOURCE_MISSING", `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function halves(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function dropAbsent(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}
