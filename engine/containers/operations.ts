/**
 * A container as the native program makes it: data that says everything about it, and the list of operations that
 * follows from it. Pure, so that what a container gets can be read in a test.
 */
import {
  mountFlag,
  type NamespaceKind,
  type Op,
  type ProcessOp,
  type Propagation,
} from "../native/protocol.ts";
import { capabilityMask } from "./capabilities.ts";
import type { Cgroups } from "./cgroups/detect.ts";
import { type CgroupSpec, cgroupOps } from "./cgroups/operations.ts";
import type { DeviceNode } from "./devices.ts";
import type { Shm } from "./shm.ts";
import type { ResolvedUser } from "./users.ts";

export interface Spec {
  /** Mode 0700, exists: gets the monitor's socket. */
  readonly runDir: string;
  /** Exists: gets the exit record. */
  readonly stateDir: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly log: Omit<Extract<Op, { op: "log" }>, "op"> | undefined;
  readonly cgroup: CgroupSpec;
  readonly namespaces: readonly NamespaceKind[];
  readonly joins: readonly { readonly kind: NamespaceKind; readonly path: string }[];
  /** Files outside of the container that it has mounted, written before it is made. */
  readonly hostFiles: readonly { readonly path: string; readonly content: string }[];
  /** From engine/networks, for a container with a network namespace of its own. */
  readonly network: readonly Op[];
  readonly root: {
    readonly lowers: readonly string[];
    readonly upper: string;
    readonly work: string;
    readonly readonly: boolean;
    /** More of overlayfs's own options. */
    readonly options?: readonly string[];
  };
  readonly hostname: string;
  readonly domainname: string;
  readonly privileged: boolean;
  readonly shm: Shm;
  readonly nodes: readonly DeviceNode[];
  /** In the order of mounting. */
  readonly mounts: readonly SpecMount[];
  readonly files: readonly SpecFile[];
  readonly directories: readonly string[];
  readonly masked: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
}

export type SpecMount =
  | {
      readonly type: "bind";
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      readonly recursive: boolean;
      readonly propagation: Propagation;
      readonly subpath?: string;
      /** Fill an empty volume from what the image has at the target. */
      readonly copyUp: boolean;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly flags: number; readonly data: string };

export interface SpecFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessSpec {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: ResolvedUser;
  readonly capabilities: readonly string[];
  /** struct sock_filter[]; undefined is unconfined. */
  readonly seccomp: Uint8Array | undefined;
  readonly noNewPrivileges: boolean;
  readonly rlimits: readonly { readonly resource: number; readonly soft: bigint; readonly hard: bigint }[];
  readonly oomScoreAdj: number | undefined;
  /** Of a program beside the container's own: gives it a terminal. */
  readonly terminal: { readonly rows: number; readonly columns: number } | undefined;
  readonly init: boolean;
  readonly keyring: string | undefined;
}

/** A container's user data bases are read by the launch, in this order, at most this many bytes each. */
export const USER_FILES = ["/etc/passwd", "/etc/group"] as const;
const USER_FILE_LIMIT = 1 << 20;

const { ro, nosuid, nodev, noexec, strictatime } = mountFlag;

/** Everything up to the moment in which the container waits for its program. */
export function prepareOps(spec: Spec): readonly Op[] {
  const { log } = spec;
  return [
    {
      op: "monitor",
      runDir: spec.runDir,
      stateDir: spec.stateDir,
      tty: spec.tty,
      openStdin: spec.openStdin,
      stdinOnce: spec.stdinOnce,
    },
    ...(log === undefined ? [] : [{ op: "log", ...log } as const]),
    ...spec.hostFiles.map((file) => ({ op: "hostFile", mode: 0o644, ...file }) as const),
    ...cgroupOps(spec.cgroup),
    { op: "clone", namespaces: spec.namespaces, joins: spec.joins, uidMap: "", gidMap: "" },
    ...spec.network,
    // Mount points and the working directory are still to be made in it: readonlyRoot comes last.
    { op: "overlay", ...spec.root, readonly: false },
    ...systemMounts(spec),
    ...spec.mounts.flatMap(mountOps),
    ...spec.files.map((file) => ({ op: "file", ...file }) as const),
    ...spec.directories.map((path) => ({ op: "directory", path, mode: 0o755, uid: 0, gid: 0 }) as const),
    ...hostnameOps(spec),
    // While /proc/sys can still be written.
    ...Object.entries(spec.sysctls).map(
      ([name, value]) => ({ op: "sysctl", path: name.replaceAll(".", "/"), value }) as const,
    ),
    ...spec.masked.map((path) => ({ op: "mask", path }) as const),
    ...spec.readonlyPaths.map((path) => ({ op: "readonly", path }) as const),
    ...USER_FILES.map((path) => ({ op: "readFile", path, limit: USER_FILE_LIMIT }) as const),
    ...(spec.root.readonly ? [{ op: "readonlyRoot" } as const] : []),
    { op: "pivot" },
  ];
}

/** What the container's program is started with. */
export function processOps(process: ProcessSpec): readonly ProcessOp[] {
  const bounding = capabilityMask(process.capabilities);
  // The kernel would clear them at setuid; inheritable stays empty in any case (CVE-2022-24769).
  const effective = process.user.uid === 0 ? bounding : 0n;
  const { uid, gid, groups } = process.user;
  return [
    { op: "argv", list: process.argv },
    { op: "env", list: process.env },
    { op: "cwd", path: process.cwd },
    { op: "user", uid, gid, groups },
    { op: "caps", bounding, permitted: effective, effective, inheritable: 0n, ambient: 0n },
    ...(process.seccomp === undefined ? [] : [{ op: "seccomp", filter: process.seccomp } as const]),
    ...(process.noNewPrivileges ? [{ op: "noNewPrivileges" } as const] : []),
    ...process.rlimits.map((limit) => ({ op: "rlimit", ...limit }) as const),
    ...(process.oomScoreAdj === undefined
      ? []
      : [{ op: "oomScoreAdj", value: process.oomScoreAdj } as const]),
    { op: "umask", mask: 0o022 },
    ...(process.terminal === undefined ? [] : [{ op: "terminal", ...process.terminal } as const]),
    ...(process.init ? [{ op: "init" } as const] : []),
    ...(process.keyring === undefined ? [] : [{ op: "keyring", name: process.keyring } as const]),
  ];
}

/** /proc, /dev, /sys and what is in them; left out where a mount of the user's takes the place. */
function systemMounts(spec: Spec): readonly Op[] {
  const taken = new Set(spec.mounts.map((mount) => mount.target));
  const mount = (type: string, target: string, flags: number, data = "", source = type): readonly Op[] =>
    taken.has(target) ? [] : [{ op: "mount", type, source, target, flags, data }];
  const bind = (source: string, target: string): readonly Op[] =>
    taken.has(target) ? [] : mountOps({ ...ENGINE_BIND, source, target });
  const sealed = nosuid | noexec | nodev;
  return [
    ...mount("proc", "/proc", sealed),
    ...(taken.has("/dev") ? [] : devices(spec, mount, bind)),
    ...mount("sysfs", "/sys", sealed | (spec.privileged ? 0 : ro)),
    ...(taken.has("/sys") || taken.has("/sys/fs/cgroup")
      ? []
      : cgroupMounts(spec.cgroup.tree, { writable: spec.privileged })),
  ];
}

function devices(
  spec: Spec,
  mount: (type: string, target: string, flags: number, data?: string, source?: string) => readonly Op[],
  bind: (source: string, target: string) => readonly Op[],
): readonly Op[] {
  return [
    ...mount("tmpfs", "/dev", nosuid | strictatime, "mode=755,size=65536k"),
    ...mount("devpts", "/dev/pts", nosuid | noexec, "newinstance,ptmxmode=0666,mode=0620,gid=5"),
    // Shows the queues of whatever IPC namespace the container is in.
    ...mount("mqueue", "/dev/mqueue", nosuid | noexec | nodev),
    ...sharedMemory(spec.shm, mount, bind),
    ...spec.nodes.map((node) => ({ op: "node", ...node }) as const),
    ...deviceLinks(),
  ];
}

function sharedMemory(
  shm: Shm,
  mount: (type: string, target: string, flags: number, data?: string, source?: string) => readonly Op[],
  bind: (source: string, target: string) => readonly Op[],
): readonly Op[] {
  switch (shm.kind) {
    case "none":
      return [];
    case "own":
      return mount("tmpfs", "/dev/shm", nosuid | noexec | nodev, `mode=1777,size=${shm.size}`, "shm");
    case "shared":
      return bind(shm.directory, "/dev/shm");
  }
}

/** The links in /dev. */
export function deviceLinks(): readonly Op[] {
  const links = [
    ["/proc/self/fd", "/dev/fd"],
    ["/proc/self/fd/0", "/dev/stdin"],
    ["/proc/self/fd/1", "/dev/stdout"],
    ["/proc/self/fd/2", "/dev/stderr"],
    ["pts/ptmx", "/dev/ptmx"],
  ] as const;
  return links.map(([target, path]) => ({ op: "symlink", target, path }));
}

/** The container's own part of the cgroup tree; read-only unless it may limit itself. */
export function cgroupMounts(tree: Cgroups, options: { readonly writable: boolean }): readonly Op[] {
  const flags = nosuid | noexec | nodev | (options.writable ? 0 : ro);
  if (tree.version === 2) {
    return [{ op: "mount", type: "cgroup2", source: "cgroup", target: "/sys/fs/cgroup", flags, data: "" }];
  }
  const inside = "/sys/fs/cgroup";
  return [
    {
      op: "mount",
      type: "tmpfs",
      source: "tmpfs",
      target: inside,
      flags: nosuid | noexec | nodev,
      data: "mode=755,size=64k",
    },
    ...tree.hierarchies.map(
      ({ options, mount }) =>
        ({
          op: "mount",
          type: "cgroup",
          source: "cgroup",
          target: `${inside}/${mount.slice(mount.lastIndexOf("/") + 1)}`,
          flags,
          data: options,
        }) as const,
    ),
    ...(options.writable ? [] : [{ op: "readonly", path: inside } as const]),
  ];
}

const ENGINE_BIND = {
  type: "bind",
  readonly: false,
  recursive: false,
  propagation: "rprivate",
  copyUp: false,
} as const;

/** A file that the engine keeps for the container, such as /etc/hosts. */
export function engineFile(source: string, target: string, readonly: boolean, subpath = ""): SpecMount {
  return { ...ENGINE_BIND, source, target, readonly, ...(subpath !== "" && { subpath }) };
}

function mountOps(mount: SpecMount): readonly Op[] {
  if (mount.type === "tmpfs") {
    return [
      {
        op: "mount",
        type: "tmpfs",
        source: "tmpfs",
        target: mount.target,
        flags: mount.flags,
        data: mount.data,
      },
    ];
  }
  const { source, target, recursive, propagation, subpath } = mount;
  return [
    ...(mount.copyUp ? [{ op: "volumeInit", target, volume: source } as const] : []),
    {
      op: "bind",
      source,
      target,
      recursive,
      flags: mount.readonly ? ro : 0,
      propagation,
      ...(subpath === undefined ? {} : { subpath }),
    },
  ];
}

/** A container in the engine's UTS namespace has the machine's names. */
function hostnameOps(spec: Spec): readonly Op[] {
  if (!spec.namespaces.includes("uts")) return [];
  return [{ op: "hostname", name: spec.hostname, domain: spec.domainname }];
}
