/**
 * Every operation that the native program knows, and how each is written. The program has no policy:
 * names, defaults and look-ups are settled by who makes the list. Paths are absolute. A `target` or
 * a path inside a container is resolved beneath its root directory and never leads out of it; a
 * missing mount point is created.
 */
import { distinctLayers } from "./trees.ts";
import { encodeBody, encodeRaw, type RawOp } from "./wire.ts";
import type { Field } from "./writer.ts";

/** Kinds of jobs: 1–15 runtime, 16–31 networks, 32–63 workers. */
export const jobKind = {
  run: 1,
  exec: 2,
  control: 3,
  attach: 4,
  follow: 5,
  join: 6,
  network: 16,
  plug: 17,
} as const;

export type NamespaceKind = "cgroup" | "ipc" | "mount" | "net" | "pid" | "time" | "user" | "uts";

/** CLONE_NEW* of linux/sched.h. */
export const namespaceFlag: Readonly<Record<NamespaceKind, number>> = {
  time: 0x80,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
};

/** Flags of mount(2), as they are written in /proc/mounts. */
export const mountFlag = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  noatime: 1024,
  nodiratime: 2048,
  relatime: 1 << 21,
  strictatime: 1 << 24,
} as const;

export type Propagation = "private" | "slave" | "shared" | "rprivate" | "rslave" | "rshared";

/** Before and while a container is made; `Operation` below is the union of all. */
interface PrepareOps {
  /** First, always. `runDir` is made (0700) and gets monitor.sock; `stateDir` exists and gets the exit record, in place of that of the run before. */
  monitor: {
    readonly runDir: string;
    readonly stateDir: string;
    readonly tty: boolean;
    readonly openStdin: boolean;
    /** Closes the program's stdin when the first client that had it attached goes. */
    readonly stdinOnce: boolean;
  };
  /** The container has the stdio of who runs the job, and the job's exit status is its. */
  inheritStdio: {
    /** Gets the terminal, by SCM_RIGHTS; "": the monitor keeps it. */
    readonly consoleSocket: string;
    /** The first process is the child of who runs the job, and lives without the monitor; its cgroups stay when it ends. */
    readonly handOver: boolean;
    /** How many descriptors from 4 on the program has from 3 on. */
    readonly preserved: number;
  };
  /** In job `join` alone, first: a further program beside the process `pid`, as `inheritStdio` with `handOver`. */
  join: {
    readonly pid: number;
    readonly userNamespace: boolean;
    readonly consoleSocket: string;
    readonly preserved: number;
  };
  /** Output goes to `path`; without this operation it goes to attached clients alone. */
  log: {
    readonly path: string;
    /** Bytes; 0: never rotate. */
    readonly maxSize: number;
    readonly maxFiles: number;
    /** Entries as native/logform.h has them, not json-file's lines. */
    readonly binary?: boolean;
    /** The number that the next full file gets and keeps; 0: path.1 is always the newest. */
    readonly next?: number;
    /** A JSON object that every line has as `attrs`; "": none. */
    readonly attrs?: string;
  };
  /** Makes a cgroup with its missing parents, which the container joins: one a v1 hierarchy, one on v2. Removed when it has exited. */
  cgroup: { readonly path: string };
  /** Writes `value` to a file outside the container, by one write(2). An optional one may fail. */
  write: { readonly path: string; readonly value: string; readonly optional: boolean };
  /** Writes a file outside the container, which is made or emptied. */
  hostFile: { readonly path: string; readonly mode: number; readonly content: string };
  /** cgroup v2 only: attaches a BPF_PROG_TYPE_CGROUP_DEVICE program (struct bpf_insn[]) to the cgroup. */
  deviceFilter: { readonly path: string; readonly program: Uint8Array };
  /** Makes the container's first process. Namespaces in neither list are the engine's own. */
  clone: {
    readonly namespaces: readonly NamespaceKind[];
    readonly joins: readonly { readonly kind: NamespaceKind; readonly path: string }[];
    /** Contents of uid_map and gid_map, if `user` is among the new namespaces; else "". */
    readonly uidMap: string;
    readonly gidMap: string;
  };

  /** The root directory, as an overlay: layers top first, all host paths. `options` such as "userxattr" or "volatile". */
  overlay: {
    readonly lowers: readonly string[];
    readonly upper: string;
    readonly work: string;
    readonly readonly: boolean;
    readonly options?: readonly string[];
  };
  /** The root directory, as a bind mount of a host directory. */
  bindRoot: { readonly path: string; readonly readonly: boolean };
  /** A new file system: proc, sysfs, tmpfs, devpts, mqueue, cgroup, cgroup2. `flags` are mount(2)'s, `data` its comma-separated options. */
  mount: {
    readonly type: string;
    readonly source: string;
    readonly target: string;
    readonly flags: number;
    readonly data: string;
    /** It begins with what the image has at `target`. */
    readonly copyUp?: boolean;
  };
  /** A host file or directory. `subpath` is resolved beneath `source`. `flags` as of `mount`. */
  bind: {
    readonly source: string;
    readonly target: string;
    readonly recursive: boolean;
    readonly flags: number;
    readonly propagation: Propagation;
    readonly subpath?: string;
  };
  /** Fills an EMPTY volume directory with what the image has at `target`, owner and mode too. Before the bind. */
  volumeInit: { readonly target: string; readonly volume: string };
  /** A device node. `mode` is permission bits. */
  node: {
    readonly path: string;
    readonly type: "c" | "b";
    readonly major: number;
    readonly minor: number;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  };
  symlink: { readonly target: string; readonly path: string };
  /** A directory with its missing parents; nothing is changed if it is there. */
  directory: { readonly path: string; readonly mode: number; readonly uid: number; readonly gid: number };
  /** A regular file, replaced if it is there. */
  file: {
    readonly path: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly content: Uint8Array;
  };
  /** Hides a file under /dev/null, a directory under an empty read-only tmpfs. What is not there is left out. */
  mask: { readonly path: string };
  /** Makes a path read-only, with all mounts below it. What is not there is left out. */
  readonly: { readonly path: string };
  /** `path` below /proc/sys, with slashes. Those under net/ are written into the container's network namespace. */
  sysctl: { readonly path: string; readonly value: string };
  hostname: { readonly name: string; readonly domain: string };
  /** The root directory becomes `/`, the engine's is gone. After all mounts. */
  pivot: Record<never, never>;
  /** Makes the root directory itself read-only; after everything that creates mount points. */
  readonlyRoot: Record<never, never>;
  /** Answers with a file's content, at most `limit` bytes; nothing if it is no regular file. */
  readFile: { readonly path: string; readonly limit: number };
  /** Fails as the start of such a program would, for an early answer. `path` is the value of PATH. */
  program: { readonly name: string; readonly path: string; readonly cwd: string };
  /** Answers with u32 pid | u32 monitor, and waits for a `go` frame whose payload is what later hooks read. */
  hold: Record<never, never>;
}

/** Runs a program of the engine's, now. */
interface HookOps {
  hook: {
    readonly path: string;
    readonly argv: readonly string[];
    readonly env: readonly string[];
    /** 0: as long as it takes. */
    readonly seconds: number;
    /** What it reads; "": what came with the last `hold`. */
    readonly state: string;
  };
}

/** What a program is started with: the container's own by `go`, others by `exec`. Order does not matter. */
interface ProcessOps extends HookOps {
  argv: { readonly list: readonly string[] };
  env: { readonly list: readonly string[] };
  /** Created if it is missing by `directory` before; here it must be there. */
  cwd: { readonly path: string };
  user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  /** Sets as bit masks (1n << CAP_*). */
  caps: {
    readonly bounding: bigint;
    readonly permitted: bigint;
    readonly effective: bigint;
    readonly inheritable: bigint;
    readonly ambient: bigint;
  };
  /** A classic BPF filter: struct sock_filter[]. */
  seccomp: { readonly filter: Uint8Array };
  noNewPrivileges: Record<never, never>;
  /** `resource` is RLIMIT_* of asm-generic/resource.h; -1n is unlimited. Raising a hard limit that the engine may not raise sets what it may. */
  rlimit: { readonly resource: number; readonly soft: bigint; readonly hard: bigint };
  oomScoreAdj: { readonly value: number };
  umask: { readonly mask: number };
  /** Only with a terminal: its size. For exec it also asks for one. */
  terminal: { readonly rows: number; readonly columns: number };
  /** Runs the program under our own process 1, which reaps zombies and forwards signals. */
  init: Record<never, never>;
  /** A new session keyring of this name. */
  keyring: { readonly name: string };
  /** exec only: which streams the connection carries; the others are /dev/null. */
  streams: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** AppArmor or SELinux: written to /proc/self/attr/{apparmor/,}exec. */
  label: { readonly lsm: "apparmor" | "selinux"; readonly label: string };
}

/** Networks: messages and tables are made in engine/networks. */
interface NetOps {
  /** Netlink messages for the engine's network namespace. */
  hostNetlink: NetlinkBatch;
  /** The same for the container's. */
  containerNetlink: NetlinkBatch;
  /** Answers names from the table at `path`, on `port` of 127.0.0.11 in the container. */
  dns: { readonly path: string; readonly port: number };
  /** Published ports that the monitor holds and forwards, instead of those of before: lines of `tcp|udp HOSTADDRESS HOSTPORT ADDRESS PORT`. */
  forward: { readonly rules: string };
  /** Writes a setting of the container's network namespace; `path` below /proc/sys/net. */
  netSetting: { readonly path: string; readonly value: string };
  /** In job `network` alone: mounts a volume that is a file system of its own. `flags` are mount(2)'s. */
  volumeMount: {
    readonly type: string;
    readonly source: string;
    readonly target: string;
    readonly flags: number;
    readonly data: string;
  };
  /** Takes it away; that nothing is mounted there is no error. */
  volumeUnmount: { readonly target: string };
  /** Limits what a directory holds: bytes, 0 for no limit. Its files are of the project, a number above 0. */
  quota: { readonly directory: string; readonly project: number; readonly bytes: number };
}

export interface NetlinkBatch {
  /** NETLINK_ROUTE 0, NETLINK_NETFILTER 12. */
  readonly protocol: number;
  readonly messages: Uint8Array;
  /** What only the program can fill in, see native/net.h. */
  readonly patches: Uint8Array;
  /** An errno that is no failure; 0: none. */
  readonly tolerate: number;
}

/** What a client of a monitor asks for, in its one request. */
interface ClientOps {
  /** Which streams to send, and whether stdin frames will come. */
  attach: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
}

interface AllOps extends PrepareOps, ProcessOps, NetOps, ClientOps {}
type OpOf<Table> = { [K in keyof Table]: { readonly op: K } & Table[K] }[keyof Table];

export type PrepareOp = OpOf<PrepareOps & HookOps & NetOps>;
export type ProcessOp = OpOf<ProcessOps>;
export type Op = OpOf<AllOps>;

const list = (items: readonly Field[]): Field[] => [items.length, ...items];
const netlink = (o: NetlinkBatch): Field[] => [o.protocol, o.messages, o.patches, o.tolerate];
const propagations: Readonly<Record<Propagation, number>> = {
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  rprivate: (1 << 18) | (1 << 14),
  rslave: (1 << 19) | (1 << 14),
  rshared: (1 << 20) | (1 << 14),
};

/** Codes and fields, in the order in which native/ reads them. 1–199 runtime, 200–299 networks. */
const layouts: { readonly [K in keyof AllOps]: readonly [code: number, fields: (op: AllOps[K]) => Field[]] } =
  {
    monitor: [1, (o) => [o.runDir, o.stateDir, o.tty, o.openStdin, o.stdinOnce]],
    inheritStdio: [7, (o) => [o.consoleSocket, o.handOver, o.preserved]],
    join: [8, (o) => [o.pid, o.userNamespace, o.consoleSocket, o.preserved]],
    log: [2, (o) => [o.path, o.maxSize, o.maxFiles, o.binary ?? false, o.next ?? 0, o.attrs ?? ""]],
    cgroup: [3, (o) => [o.path]],
    write: [4, (o) => [o.path, o.value, o.optional]],
    hostFile: [9, (o) => [o.path, o.mode, o.content]],
    deviceFilter: [5, (o) => [o.path, o.program]],
    clone: [
      6,
      (o) => [
        o.namespaces.reduce((flags, kind) => flags | namespaceFlag[kind], 0),
        o.uidMap,
        o.gidMap,
        o.joins.length,
        ...o.joins.flatMap((join) => [namespaceFlag[join.kind], join.path]),
      ],
    ],
    overlay: [
      20,
      (o) => [o.upper, o.work, o.readonly, ...list(o.options ?? []), ...list(distinctLayers(o.lowers))],
    ],
    bindRoot: [21, (o) => [o.path, o.readonly]],
    mount: [22, (o) => [o.type, o.source, o.target, o.flags, o.data, o.copyUp ?? false]],
    bind: [
      23,
      (o) => [o.source, o.target, o.recursive, o.flags, propagations[o.propagation], o.subpath ?? ""],
    ],
    volumeInit: [24, (o) => [o.target, o.volume]],
    node: [25, (o) => [o.path, o.type, o.major, o.minor, o.mode, o.uid, o.gid]],
    symlink: [26, (o) => [o.target, o.path]],
    directory: [27, (o) => [o.path, o.mode, o.uid, o.gid]],
    file: [28, (o) => [o.path, o.mode, o.uid, o.gid, o.content]],
    mask: [29, (o) => [o.path]],
    readonly: [30, (o) => [o.path]],
    sysctl: [31, (o) => [o.path, o.value]],
    hostname: [32, (o) => [o.name, o.domain]],
    pivot: [33, () => []],
    readonlyRoot: [34, () => []],
    readFile: [35, (o) => [o.path, o.limit]],
    program: [38, (o) => [o.name, o.path, o.cwd]],
    hold: [36, () => []],
    hook: [37, (o) => [o.path, ...list(o.argv), ...list(o.env), o.seconds, o.state]],
    argv: [60, (o) => list(o.list)],
    env: [61, (o) => list(o.list)],
    cwd: [62, (o) => [o.path]],
    user: [63, (o) => [o.uid, o.gid, ...list(o.groups)]],
    caps: [64, (o) => [o.bounding, o.permitted, o.effective, o.inheritable, o.ambient]],
    seccomp: [65, (o) => [o.filter]],
    noNewPrivileges: [66, () => []],
    rlimit: [67, (o) => [o.resource, o.soft, o.hard]],
    oomScoreAdj: [68, (o) => [o.value]],
    umask: [69, (o) => [o.mask]],
    terminal: [70, (o) => [o.rows, o.columns]],
    init: [71, () => []],
    keyring: [72, (o) => [o.name]],
    streams: [73, (o) => [o.stdin, o.stdout, o.stderr]],
    label: [74, (o) => [o.lsm, o.label]],
    attach: [100, (o) => [o.stdin, o.stdout, o.stderr]],
    hostNetlink: [200, netlink],
    containerNetlink: [201, netlink],
    dns: [202, (o) => [o.path, o.port]],
    forward: [203, (o) => [o.rules]],
    netSetting: [204, (o) => [o.path, o.value]],
    volumeMount: [220, (o) => [o.type, o.source, o.target, o.flags, o.data]],
    volumeUnmount: [221, (o) => [o.target]],
    quota: [222, (o) => [o.directory, o.project, o.bytes]],
  };

function raw(op: Op): RawOp {
  const [code, fields] = layouts[op.op] as readonly [number, (op: Op) => Field[]];
  return { code, fields: fields(op) };
}

/** @returns a whole request of this kind */
export function encodeRequest(kind: number, ops: readonly Op[]): Buffer {
  return encodeRaw(kind, ops.map(raw));
}

/** @returns a request without its length, as the payload of a `go` frame */
export function encodeProcess(ops: readonly ProcessOp[]): Buffer {
  return encodeBody(jobKind.exec, ops.map(raw));
}
