/**
 * A container without an engine around it: a busybox image as one overlay layer, a spawner, and the operations that
 * the engine would make for `docker run`. Nothing is left when it is closed.
 */
import { execFileSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { Monitor, type Session, type Streams } from "../../../engine/native/monitor.ts";
import {
  mountFlag,
  type NamespaceKind,
  type PrepareOp,
  type ProcessOp,
} from "../../../engine/native/protocol.ts";
import { type Launched, Spawner } from "../../../engine/native/spawner.ts";
import { busyboxTar } from "../../helpers/busybox.ts";

const { ro, nosuid, nodev, noexec } = mountFlag;
export const program =
  process.env["SLIPWAY_NATIVE"] ?? join(import.meta.dirname, "../../../dist/native/slipway-native");
/** Docker's 14 capabilities. */
export const dockerCaps = 0xa80425fbn;

/** Where each v1 hierarchy is mounted, or the one of v2. None in a user namespace that may not write to them. */
export function hierarchies(): string[] {
  return readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, path]) => path as string)
    .filter((path) => writable(path));
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export interface CellOptions {
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly log?: Partial<{ maxSize: number; maxFiles: number }>;
  readonly namespaces?: readonly NamespaceKind[];
  /** Between the standard mounts and pivot. */
  readonly ops?: readonly PrepareOp[];
  /** Before clone; gets the container's cgroups. */
  readonly before?: (cgroups: readonly string[]) => readonly PrepareOp[];
  /** After pivot. */
  readonly after?: readonly PrepareOp[];
  readonly joins?: readonly { readonly kind: NamespaceKind; readonly path: string }[];
  /** Replaces the standard mounts of /proc, /dev and /sys. */
  readonly mounts?: readonly PrepareOp[];
  readonly lowers?: readonly string[];
}

export const standardMounts: readonly PrepareOp[] = [
  { op: "mount", type: "proc", source: "proc", target: "/proc", flags: nosuid | noexec | nodev, data: "" },
  {
    op: "mount",
    type: "tmpfs",
    source: "tmpfs",
    target: "/dev",
    flags: nosuid | mountFlag.strictatime,
    data: "mode=755,size=65536k",
  },
  {
    op: "mount",
    type: "devpts",
    source: "devpts",
    target: "/dev/pts",
    flags: nosuid | noexec,
    data: "newinstance,ptmxmode=0666,mode=0620,gid=5",
  },
  {
    op: "mount",
    type: "sysfs",
    source: "sysfs",
    target: "/sys",
    flags: ro | nosuid | noexec | nodev,
    data: "",
  },
  {
    op: "mount",
    type: "tmpfs",
    source: "shm",
    target: "/dev/shm",
    flags: nosuid | noexec | nodev,
    data: "mode=1777,size=67108864",
  },
  {
    op: "mount",
    type: "mqueue",
    source: "mqueue",
    target: "/dev/mqueue",
    flags: nosuid | noexec | nodev,
    data: "",
  },
  ...(["null 3", "zero 5", "full 7", "random 8", "urandom 9"].map((text) => {
    const [name, minor] = text.split(" ");
    return {
      op: "node",
      path: `/dev/${name}`,
      type: "c",
      major: 1,
      minor: Number(minor),
      mode: 0o666,
      uid: 0,
      gid: 0,
    };
  }) as PrepareOp[]),
  { op: "node", path: "/dev/tty", type: "c", major: 5, minor: 0, mode: 0o666, uid: 0, gid: 0 },
  { op: "symlink", target: "/proc/self/fd", path: "/dev/fd" },
  { op: "symlink", target: "/proc/self/fd/0", path: "/dev/stdin" },
  { op: "symlink", target: "/proc/self/fd/1", path: "/dev/stdout" },
  { op: "symlink", target: "/proc/self/fd/2", path: "/dev/stderr" },
  { op: "symlink", target: "pts/ptmx", path: "/dev/ptmx" },
];

export const masks: readonly PrepareOp[] = [
  ...["/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"].map(
    (path): PrepareOp => ({ op: "mask", path }),
  ),
  ...["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"].map(
    (path): PrepareOp => ({ op: "readonly", path }),
  ),
];

/** Holds a spawner and any number of cells. */
export class Bench implements AsyncDisposable {
  readonly directory: string;
  readonly spawner: Spawner;
  readonly #parent: string;
  readonly #launched: Launched[] = [];
  readonly #names: string[] = [];

  private constructor(directory: string, spawner: Spawner) {
    this.directory = directory;
    this.spawner = spawner;
    this.#parent = directory.slice(directory.lastIndexOf("/") + 1);
  }

  static async open(): Promise<Bench> {
    mkdirSync("/var/tmp", { recursive: true });
    const directory = mkdtempSync("/var/tmp/slw-native-");
    return new Bench(directory, await Spawner.start({ program, socket: join(directory, "spawner.sock") }));
  }

  /** The busybox image, unpacked when it is first asked for. */
  get layer(): string {
    const layer = join(this.directory, "busybox");
    if (!existsSync(layer)) {
      mkdirSync(layer);
      execFileSync("tar", ["-x", "-C", layer], { input: busyboxTar() });
    }
    return layer;
  }

  cgroupPaths(name: string): string[] {
    return hierarchies().map((root) => join(root, this.#parent, name));
  }

  /** Makes a container that waits for `go`. */
  async launch(options: CellOptions = {}): Promise<Cell> {
    const name = `c${this.#names.length}`;
    this.#names.push(name);
    const directory = join(this.directory, name);
    for (const sub of ["run", "state"]) mkdirSync(join(directory, sub), { recursive: true, mode: 0o700 });
    for (const sub of ["upper", "work"]) mkdirSync(join(directory, sub), { mode: 0o755 });
    const log = join(directory, "log.json");
    const namespaces = options.namespaces ?? ["mount", "pid", "net", "ipc", "uts", "cgroup"];
    const { launched, monitor } = await Monitor.launch(this.spawner, join(directory, "run"), [
      {
        op: "monitor",
        runDir: join(directory, "run"),
        stateDir: join(directory, "state"),
        tty: options.tty ?? false,
        openStdin: options.openStdin ?? false,
        stdinOnce: options.stdinOnce ?? false,
      },
      { op: "log", path: log, maxSize: options.log?.maxSize ?? 0, maxFiles: options.log?.maxFiles ?? 1 },
      ...this.cgroupPaths(name).map((path): PrepareOp => ({ op: "cgroup", path })),
      ...(options.before?.(this.cgroupPaths(name)) ?? []),
      { op: "clone", namespaces, joins: options.joins ?? [], uidMap: "", gidMap: "" },
      {
        op: "overlay",
        lowers: [...(options.lowers ?? []), this.layer],
        upper: join(directory, "upper"),
        work: join(directory, "work"),
        readonly: false,
      },
      ...(options.mounts ?? standardMounts),
      ...(options.ops ?? []),
      ...masks,
      { op: "hostname", name: "cell", domain: "" },
      { op: "pivot" },
      ...(options.after ?? []),
    ]);
    this.#launched.push(launched);
    return new Cell(name, directory, log, launched, monitor);
  }

  /** Launches, runs a shell script to its end and gives what it printed. */
  async run(script: string, options: CellOptions = {}, ops: readonly ProcessOp[] = []): Promise<Result> {
    const cell = await this.launch(options);
    const collected = await cell.attach();
    await cell.monitor.go(shell(script, ops));
    const exit = await cell.monitor.exited;
    await collected.session.exited;
    cell.monitor.close();
    return {
      code: exit?.code ?? -1,
      signal: exit?.signal ?? -1,
      oom: exit?.oom ?? false,
      ...collected.text(),
      cell,
    };
  }

  /** What a test that failed has left running. */
  async #killLeft(): Promise<void> {
    const left = this.#launched.filter(({ monitorPid }) => isMonitor(monitorPid, this.directory));
    for (const { monitorPid } of left) process.kill(monitorPid, "SIGKILL");
    for (let tries = 0; left.length > 0 && tries < 20; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    for (const path of left.length > 0 ? this.#names.flatMap((name) => this.cgroupPaths(name)) : []) {
      if (existsSync(path)) rmdirSync(path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#killLeft();
    await this.spawner.close();
    rmSync(this.directory, { recursive: true, force: true });
    const left = hierarchies()
      .map((root) => join(root, this.#parent))
      .filter((path) => existsSync(path));
    for (const path of left) {
      for (const name of readdirSync(path, { withFileTypes: true })) {
        if (name.isDirectory()) throw new Error(`left behind: ${path}/${name.name}`);
      }
      rmdirSync(path);
    }
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(this.directory));
    if (mounts.length > 0) throw new Error(`left behind: ${mounts.join("; ")}`);
  }
}

/** Whether the process is a monitor of this spawner: its number may be another's by now. */
function isMonitor(pid: number, directory: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory);
  } catch {
    return false;
  }
}

export interface Result {
  readonly code: number;
  readonly signal: number;
  readonly oom: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly cell: Cell;
}

export interface Collected {
  readonly session: Session;
  text(): { readonly stdout: string; readonly stderr: string };
}

export class Cell {
  /** Of its cgroups, too. */
  readonly name: string;
  readonly directory: string;
  readonly log: string;
  readonly launched: Launched;
  readonly monitor: Monitor;

  constructor(name: string, directory: string, log: string, launched: Launched, monitor: Monitor) {
    this.name = name;
    this.directory = directory;
    this.log = log;
    this.launched = launched;
    this.monitor = monitor;
  }

  get runDir(): string {
    return join(this.directory, "run");
  }

  get stateDir(): string {
    return join(this.directory, "state");
  }

  async attach(streams: Streams = { stdin: false, stdout: true, stderr: true }): Promise<Collected> {
    return collect((output) => this.monitor.attach(streams, output));
  }

  /** Runs a script to its end. */
  async exec(
    script: string,
    ops: readonly ProcessOp[] = [],
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const collected = await collect((output) =>
      this.monitor.exec(
        [...shell(script, ops), { op: "streams", stdin: false, stdout: true, stderr: true }],
        output,
      ),
    );
    const exit = await collected.session.exited;
    return { code: exit?.code ?? -1, ...collected.text() };
  }

  async kill(): Promise<void> {
    await this.monitor.signal(9);
    await this.monitor.exited;
    this.monitor.close();
  }
}

export async function collect(
  open: (output: { data(stream: "stdout" | "stderr", chunk: Buffer): boolean }) => Promise<Session>,
): Promise<Collected> {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const session = await open({
    data(stream, chunk) {
      chunks[stream].push(Buffer.from(chunk));
      return true;
    },
  });
  const text = () => ({
    stdout: Buffer.concat(chunks.stdout).toString(),
    stderr: Buffer.concat(chunks.stderr).toString(),
  });
  return { session, text };
}

/** A shell with Docker's default capabilities, as root. */
export function shell(script: string, ops: readonly ProcessOp[] = []): ProcessOp[] {
  return [
    { op: "env", list: ["PATH=/bin", "HOME=/root"] },
    { op: "user", uid: 0, gid: 0, groups: [0] },
    {
      op: "caps",
      bounding: dockerCaps,
      permitted: dockerCaps,
      effective: dockerCaps,
      inheritable: 0n,
      ambient: 0n,
    },
    { op: "umask", mask: 0o022 },
    { op: "argv", list: ["sh", "-c", script] },
    ...ops,
  ];
}
