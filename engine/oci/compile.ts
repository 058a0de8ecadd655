/** From config.json to the operations of the native program: the same that the engine's own containers are made of. */
import { isAbsolute, join, resolve } from "node:path";
import { capabilityMask } from "../containers/capabilities.ts";
import { cgroupDirectories, cgroupOps } from "../containers/cgroups/operations.ts";
import { DEFAULT_NODES } from "../containers/devices.ts";
import type { Host } from "../containers/host.ts";
import { cgroupMounts, deviceLinks } from "../containers/operations.ts";
import { parseDockerProfile } from "../containers/seccomp/docker-profile.ts";
import { compileFilter } from "../containers/seccomp/filter.ts";
import { EngineError } from "../errors.ts";
import { mountFlag, type NamespaceKind, type Op, type ProcessOp } from "../native/protocol.ts";
import type { OciConfig, OciHook, OciMapping, OciMount, OciProcess } from "./config.ts";
import { cgroupPath } from "./group.ts";
import { mountOptions } from "./mount-options.ts";
import { deviceRules, resourceWrites } from "./resources.ts";

export interface Place {
  /** Of the container; the bundle's directory. */
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly consoleSocket: string;
  /** The container is its caller's; else this process waits for it. */
  readonly handOver: boolean;
  /** Descriptors from 3 on that its program gets. */
  readonly preserved: number;
  readonly host: Host;
}

/** Hooks that run before the root is changed need the container to wait for its caller. */
export function holds({ hooks = {} }: OciConfig): boolean {
  return [hooks.prestart, hooks.createRuntime, hooks.createContainer].some((list) => list?.length);
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
    {
      op: "inheritStdio",
      consoleSocket: place.consoleSocket,
      handOver: place.handOver,
      preserved: place.preserved,
    },
    ...cgroupOps({
      tree: place.host.cgroups,
      path: cgroupPath(config, place.id),
      limits: resourceWrites(place.host.cgroups, linux.resources ?? {}),
      devices: deviceRules(linux.resources ?? {}),
    }),
    clone(config),
    { op: "bindRoot", path: root, readonly: false },
    ...(config.mounts ?? []).flatMap((mount) => mountOps(mount, config, place)),
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
    ...(holds(config) ? [{ op: "hold" } as const] : []),
    ...(config.hooks?.createContainer ?? []).map((hook) => hookOp(hook, "")),
    { op: "pivot" },
    ...programOps(config.process),
  ];
}

/** The caller of `create` hears of a program that is not there, as with runc. */
function programOps(process: OciProcess | undefined): readonly Op[] {
  const [name] = process?.args ?? [];
  if (process === undefined || name === undefined) return [];
  const path = process.env?.findLast((pair) => pair.startsWith("PATH="))?.slice("PATH=".length) ?? "";
  return [{ op: "program", name, path, cwd: process.cwd }];
}

/** A hook that the native program runs. @param state what it reads; "": what comes with `hold` */
export function hookOp({ path, args, env = [], timeout = 0 }: OciHook, state: string) {
  return { op: "hook", path, argv: args ?? [path], env, seconds: timeout, state } as const;
}

/**
 * @param keyring the name of a session keyring of its own; undefined for its caller's
 * @throws {EngineError} invalid for a process without a program, and for limits and calls that Linux does not have
 */
export function processOfBundle(
  process: OciProcess,
  seccomp: object | undefined,
  host: Host,
  keyring: string | undefined,
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
    { op: "user", uid, gid, groups: additionalGids },
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
    ...(process.oomScoreAdj === undefined
      ? []
      : [{ op: "oomScoreAdj", value: process.oomScoreAdj } as const]),
    { op: "umask", mask: umask ?? 0o022 },
    ...(keyring === undefined ? [] : [{ op: "keyring", name: keyring } as const]),
    ...(process.terminal ? [terminalOp(process)] : []),
    ...(process.apparmorProfile
      ? [{ op: "label", lsm: "apparmor", label: process.apparmorProfile } as const]
      : []),
    ...(process.selinuxLabel ? [{ op: "label", lsm: "selinux", label: process.selinuxLabel } as const] : []),
  ];
}

function terminalOp({ consoleSize }: OciProcess): ProcessOp {
  return { op: "terminal", rows: consoleSize?.height ?? 0, columns: consoleSize?.width ?? 0 };
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

function mountOps(mount: OciMount, config: OciConfig, place: Place): readonly Op[] {
  const { flags, data, bind, recursive, propagation, copyUp } = mountOptions(mount.options ?? []);
  const target = mount.destination;
  if (bind || mount.type === "bind") {
    const source = mount.source ?? "";
    const path = isAbsolute(source) ? source : join(place.bundle, source);
    return [{ op: "bind", source: path, target, recursive, flags, propagation: propagation ?? "rprivate" }];
  }
  const type = mount.type ?? "none";
  if (type === "cgroup" || type === "cgroup2") {
    const writable = (flags & mountFlag.ro) === 0;
    const mounts = cgroupMounts(place.host.cgroups, { writable });
    return has(config, "cgroup") ? mounts : ownGroups(mounts, cgroupPath(config, place.id), flags, place);
  }
  return [{ op: "mount", type, source: mount.source ?? type, target, flags, data, copyUp }];
}

/** Without a cgroup namespace a mount would show the machine's whole tree: the container sees its own part. */
function ownGroups(mounts: readonly Op[], path: string, flags: number, { host }: Place): readonly Op[] {
  const directories = cgroupDirectories(host.cgroups, path);
  const targets = mounts.flatMap((op) => (op.op === "mount" && op.type !== "tmpfs" ? [op.target] : []));
  const binds = targets.map((target, index) => ({
    op: "bind" as const,
    source: directories[index] ?? "",
    target,
    recursive: false,
    flags,
    propagation: "rprivate" as const,
  }));
  const around = (kind: Op["op"]): readonly Op[] =>
    mounts.filter((op) => op.op === kind && (op.op !== "mount" || op.type === "tmpfs"));
  return [...around("mount"), ...binds, ...around("readonly")];
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
