/** From config.json to the operations of the native program: the same that the engine's own containers are made of. */
import { isAbsolute, join, resolve } from "node:path";
import { capabilityMask } from "../containers/capabilities.ts";
import { limitWrites } from "../containers/cgroups/limits.ts";
import { cgroupOps } from "../containers/cgroups/operations.ts";
import { DEFAULT_NODES, DEFAULT_RULES, type DeviceRule } from "../containers/devices.ts";
import type { Host } from "../containers/host.ts";
import { cgroupMounts, deviceLinks } from "../containers/operations.ts";
import { parseDockerProfile } from "../containers/seccomp/docker-profile.ts";
import { compileFilter } from "../containers/seccomp/filter.ts";
import { EngineError } from "../errors.ts";
import { mountFlag, type NamespaceKind, type Op, type ProcessOp } from "../native/protocol.ts";
import type { OciConfig, OciMapping, OciMount, OciProcess, OciResources } from "./config.ts";
import { mountOptions } from "./mount-options.ts";

export interface Place {
  /** Of the container; the bundle's directory. */
  readonly id: string;
  readonly bundle: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly consoleSocket: string;
  readonly host: Host;
}

/** Everything up to the moment in which the container waits for its program. */
export function prepareBundle(config: OciConfig, place: Place): readonly Op[] {
  const { linux = {} } = config;
  const root = resolve(place.bundle, config.root?.path ?? "rootfs");
  return [
    {
      op: "monitor",
      runDir: place.runDir,
      stateDir: place.stateDir,
      tty: config.process?.terminal ?? false,
      openStdin: true,
      stdinOnce: true,
    },
    { op: "inheritStdio", consoleSocket: place.consoleSocket },
    ...cgroupOps({
      tree: place.host.cgroups,
      path: cgroupPath(config, place.id),
      limits: limitWrites(place.host.cgroups, dockerResources(linux.resources ?? {})),
      devices: deviceRules(linux.resources ?? {}),
    }),
    clone(config),
    { op: "bindRoot", path: root, readonly: false },
    ...(config.mounts ?? []).flatMap((mount) => mountOps(mount, place)),
    ...deviceOps(config),
    ...(has(config, "uts")
      ? [{ op: "hostname", name: config.hostname ?? "", domain: config.domainname ?? "" } as const]
      : []),
    ...Object.entries(linux.sysctl ?? {}).map(
      ([name, value]) => ({ op: "sysctl", path: name.replaceAll(".", "/"), value }) as const,
    ),
    ...(linux.maskedPaths ?? []).map((path) => ({ op: "mask", path }) as const),
    ...(linux.readonlyPaths ?? []).map((path) => ({ op: "readonly", path }) as const),
    ...(config.process === undefined || config.process.cwd === "/"
      ? []
      : [{ op: "directory", path: config.process.cwd, mode: 0o755, uid: 0, gid: 0 } as const]),
    ...(config.root?.readonly ? [{ op: "readonlyRoot" } as const] : []),
    { op: "pivot" },
  ];
}

/** @throws {EngineError} invalid for a process without a program, and for limits and calls that Linux does not have */
export function processOfBundle(
  process: OciProcess,
  seccomp: object | undefined,
  host: Host,
): readonly ProcessOp[] {
  if (process.args === undefined || process.args.length === 0) {
    throw new EngineError("invalid", "process.args must not be empty");
  }
  const { uid = 0, gid = 0, umask, additionalGids = [] } = process.user ?? {};
  const mask = (set: keyof NonNullable<OciProcess["capabilities"]>): bigint =>
    capabilityMask((process.capabilities?.[set] ?? []).filter((name) => host.capabilities.has(name)));
  return [
    { op: "argv", list: process.args },
    { op: "env", list: process.env ?? [] },
    { op: "cwd", path: process.cwd },
    { op: "user", uid, gid, groups: [...new Set([gid, ...additionalGids])] },
    {
      op: "caps",
      bounding: mask("bounding"),
      permitted: mask("permitted"),
      effective: mask("effective"),
      inheritable: mask("inheritable"),
      ambient: mask("ambient"),
    },
    ...(seccomp === undefined ? [] : [{ op: "seccomp", filter: filterOf(seccomp, process, host) } as const]),
    ...(process.noNewPrivileges ? [{ op: "noNewPrivileges" } as const] : []),
    ...(process.rlimits ?? []).map((limit) => rlimit(limit)),
    ...(process.oomScoreAdj ? [{ op: "oomScoreAdj", value: process.oomScoreAdj } as const] : []),
    { op: "umask", mask: umask ?? 0o022 },
  ];
}

/** Relative to the root of the tree. @throws {EngineError} invalid for systemd's form and for a path that leads out */
export function cgroupPath(config: OciConfig, id: string): string {
  const path = config.linux?.cgroupsPath ?? `slipway-oci/${id}`;
  const names = path.split("/").filter((name) => name !== "");
  if (names.length === 0 || names.includes("..") || path.includes(":")) {
    throw new EngineError("invalid", `cgroupsPath ${path} is not a path below the root of the cgroup tree`);
  }
  return names.join("/");
}

const KINDS: Readonly<Record<string, NamespaceKind>> = {
  pid: "pid",
  network: "net",
  mount: "mount",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
  time: "time",
};

function clone(config: OciConfig): Op {
  const { namespaces = [], uidMappings = [], gidMappings = [] } = config.linux ?? {};
  const made: NamespaceKind[] = [];
  const joins: { kind: NamespaceKind; path: string }[] = [];
  for (const { type, path } of namespaces) {
    const kind = KINDS[type];
    if (kind === undefined) throw new EngineError("invalid", `unknown namespace ${type}`);
    if (path === undefined || path === "") made.push(kind);
    else joins.push({ kind, path });
  }
  if (!made.includes("mount"))
    throw new EngineError("invalid", "a container needs a mount namespace of its own");
  return { op: "clone", namespaces: made, joins, uidMap: mapText(uidMappings), gidMap: mapText(gidMappings) };
}

function mapText(mappings: readonly OciMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join("");
}

function has(config: OciConfig, type: string): boolean {
  return config.linux?.namespaces?.some((each) => each.type === type && !each.path) ?? false;
}

function mountOps(mount: OciMount, place: Place): readonly Op[] {
  const { flags, data, bind, recursive, propagation } = mountOptions(mount.options ?? []);
  const target = mount.destination;
  if (bind || mount.type === "bind") {
    const source = mount.source ?? "";
    const path = isAbsolute(source) ? source : join(place.bundle, source);
    return [{ op: "bind", source: path, target, recursive, flags, propagation: propagation ?? "rprivate" }];
  }
  const type = mount.type ?? "none";
  if (type === "cgroup" || type === "cgroup2") {
    return cgroupMounts(place.host.cgroups, { writable: (flags & mountFlag.ro) === 0 });
  }
  return [{ op: "mount", type, source: mount.source ?? type, target, flags, data }];
}

function deviceOps(config: OciConfig): readonly Op[] {
  // A /dev of the caller's is used as it is.
  const dev = config.mounts?.find(({ destination }) => destination === "/dev");
  if (dev === undefined || dev.type === "bind") return [];
  const asked = (config.linux?.devices ?? [])
    .filter(({ type }) => "cub".includes(type))
    .map((device) => ({
      op: "node" as const,
      path: device.path,
      type: device.type === "b" ? ("b" as const) : ("c" as const),
      major: device.major ?? 0,
      minor: device.minor ?? 0,
      mode: (device.fileMode ?? 0o666) & 0o777,
      uid: device.uid ?? 0,
      gid: device.gid ?? 0,
    }));
  const paths = new Set(asked.map(({ path }) => path));
  return [
    ...DEFAULT_NODES.filter(({ path }) => !paths.has(path)).map((node) => ({ op: "node", ...node }) as const),
    ...asked,
    ...deviceLinks(),
  ];
}

function dockerResources(resources: OciResources): Parameters<typeof limitWrites>[1] {
  const { memory = {}, cpu = {}, pids, blockIO } = resources;
  return {
    Memory: memory.limit ?? 0,
    MemorySwap: memory.swap ?? 0,
    MemoryReservation: memory.reservation ?? 0,
    MemorySwappiness: memory.swappiness ?? null,
    OomKillDisable: memory.disableOOMKiller ?? false,
    CpuShares: cpu.shares ?? 0,
    CpuQuota: cpu.quota ?? 0,
    CpuPeriod: cpu.period ?? 0,
    CpusetCpus: cpu.cpus ?? "",
    CpusetMems: cpu.mems ?? "",
    PidsLimit: pids?.limit ?? null,
    BlkioWeight: blockIO?.weight ?? 0,
  };
}

/** Without rules everything is left open, as the specification has it. */
function deviceRules(resources: OciResources): readonly DeviceRule[] | undefined {
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

function filterOf(seccomp: object, process: OciProcess, host: Host): Uint8Array {
  const capabilities = new Set(process.capabilities?.bounding ?? []);
  return compileFilter(parseDockerProfile(JSON.stringify(seccomp)), capabilities, host.machine);
}

const RLIMITS = [
  "CPU",
  "FSIZE",
  "DATA",
  "STACK",
  "CORE",
  "RSS",
  "NPROC",
  "NOFILE",
  "MEMLOCK",
  "AS",
  "LOCKS",
  "SIGPENDING",
  "MSGQUEUE",
  "NICE",
  "RTPRIO",
  "RTTIME",
].map((name) => `RLIMIT_${name}`);

function rlimit(limit: { readonly type: string; readonly hard: number; readonly soft: number }): ProcessOp {
  const resource = RLIMITS.indexOf(limit.type);
  if (resource < 0) throw new EngineError("invalid", `invalid rlimit type: ${limit.type}`);
  // JSON's greatest numbers are not exact; what is past them is unlimited.
  const value = (number: number): bigint => (number > Number.MAX_SAFE_INTEGER ? -1n : BigInt(number));
  return { op: "rlimit", resource, soft: value(limit.soft), hard: value(limit.hard) };
}
