/** Containers as `docker run busybox` makes them, sent straight to the native program of a daemon whose bridge is there. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { limitWrites } from "../../../engine/containers/cgroups/limits.ts";
import {
  MASKED_PATHS,
  networkSysctls,
  READONLY_PATHS,
  SHM_SIZE,
} from "../../../engine/containers/defaults.ts";
import { containerDevices } from "../../../engine/containers/devices.ts";
import { type Host, inspectHost } from "../../../engine/containers/host.ts";
import {
  type ProcessSpec,
  prepareOps,
  processOps,
  type Spec,
} from "../../../engine/containers/operations.ts";
import { SeccompFilters } from "../../../engine/containers/seccomp/filters.ts";
import { SpawnerDoor } from "../../../engine/native/door.ts";
import { Monitor } from "../../../engine/native/monitor.ts";
import type { Op, PrepareOp } from "../../../engine/native/protocol.ts";
import { launchBy, type Spawner } from "../../../engine/native/spawner.ts";
import { parseAddress } from "../../../engine/networks/address.ts";
import { configure, createVeth, macOf } from "../../../engine/networks/links.ts";
import type { Sandbox } from "../../helpers/sandbox.ts";

const CAPABILITIES =
  `CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE
  SYS_CHROOT KILL AUDIT_WRITE`.split(/\s+/);

export class Launches {
  readonly #sandbox: Sandbox;
  readonly #host: Host;
  readonly #lowers: readonly string[];
  readonly #bridge: string;
  readonly #devices: Awaited<ReturnType<typeof containerDevices>>;
  readonly #filter: Uint8Array | undefined;
  readonly #door: SpawnerDoor;
  #made = 0;

  private constructor(
    sandbox: Sandbox,
    host: Host,
    lowers: readonly string[],
    bridge: string,
    devices: Awaited<ReturnType<typeof containerDevices>>,
  ) {
    this.#sandbox = sandbox;
    this.#door = new SpawnerDoor(join(sandbox.execRoot, "spawner.sock"));
    this.#host = host;
    this.#lowers = lowers;
    this.#bridge = bridge;
    this.#devices = devices;
    this.#filter = new SeccompFilters(host.machine).get("default", CAPABILITIES);
  }

  /** @param container one of the sandbox's, whose layers and bridge are used */
  static async open(sandbox: Sandbox, container: string): Promise<Launches> {
    const { GraphDriver } = await sandbox.client.inspectContainer(container);
    const network = await sandbox.client.inspectNetwork("bridge");
    const lowers = (GraphDriver.Data as unknown as { readonly LowerDir: string }).LowerDir.split(":");
    const bridge = network.Options?.["com.docker.network.bridge.name"] ?? "";
    const [host, devices] = [await inspectHost(sandbox.cgroupParent), await containerDevices({})];
    return new Launches(sandbox, host, lowers, bridge, devices);
  }

  close(): void {
    this.#door.close();
  }

  /** The image's own. */
  get layer(): string {
    return this.#lowers[0] ?? "";
  }

  /** Milliseconds until `true` runs, and until its end is known. */
  async run(): Promise<{ started: number; exited: number }> {
    const spec = this.#spec();
    const from = performance.now();
    const monitor = await this.#launch(spec);
    await monitor.go(processOps(this.#process(["true"])));
    const started = performance.now() - from;
    await monitor.exited;
    const exited = performance.now() - from;
    monitor.close();
    return { started, exited };
  }

  async startSleeper(): Promise<Monitor> {
    const monitor = await this.#launch(this.#spec());
    await monitor.go(processOps(this.#process(["sleep", "1000"])));
    return monitor;
  }

  async exec(monitor: Monitor): Promise<void> {
    const streams = { op: "streams", stdin: false, stdout: true, stderr: true } as const;
    const session = await monitor.exec([...processOps(this.#process(["true"])), streams], {
      data: () => true,
    });
    await session.exited;
    session.close();
  }

  async #launch(spec: Spec): Promise<Monitor> {
    const spawner: Pick<Spawner, "launch"> = {
      launch: async (ops, onFrame) => launchBy(await this.#door.open(), ops, onFrame),
    };
    const ops = prepareOps(spec) as readonly PrepareOp[];
    return (await Monitor.launch(spawner, spec.runDir, ops)).monitor;
  }

  #spec(): Spec {
    const name = `bench${this.#made++}`;
    const directory = join(this.#sandbox.directory, "bench", name);
    for (const each of ["run", "upper", "work"])
      mkdirSync(join(directory, each), { recursive: true, mode: 0o700 });
    return {
      runDir: join(directory, "run"),
      stateDir: directory,
      tty: false,
      openStdin: false,
      stdinOnce: false,
      log: { path: join(directory, "log.json"), maxSize: 0, maxFiles: 1 },
      cgroup: {
        tree: this.#host.cgroups,
        path: `${this.#sandbox.cgroupParent}/${name}`,
        limits: limitWrites(this.#host.cgroups, {}, new Map()),
        devices: this.#devices.rules,
      },
      namespaces: ["mount", "pid", "net", "ipc", "uts", "cgroup"],
      joins: [],
      hostFiles: [],
      network: this.#network(),
      root: {
        lowers: this.#lowers,
        upper: join(directory, "upper"),
        work: join(directory, "work"),
        readonly: false,
      },
      hostname: name,
      domainname: "",
      privileged: false,
      shm: { kind: "own", size: SHM_SIZE },
      nodes: this.#devices.nodes,
      mounts: [],
      files: [],
      directories: [],
      masked: [...MASKED_PATHS, ...this.#host.sidechannelPaths],
      readonlyPaths: READONLY_PATHS,
      sysctls: networkSysctls(),
    };
  }

  /** As engine/networks gives it for the default bridge. */
  #network(): readonly Op[] {
    const number = (this.#made % 250) + 1;
    const address = parseAddress(`172.17.200.${number}`)!;
    const gateway = parseAddress("172.17.0.1")!;
    const host = `vethb${process.pid.toString(36)}${this.#made}`;
    const link = { host, name: "eth0", mac: macOf(address), mtu: 1500, bridge: this.#bridge };
    const [pair] = createVeth({ ...link, isolated: false, hairpin: false });
    return [
      { op: "hostNetlink", ...pair! },
      { op: "containerNetlink", ...configure("eth0", [{ address, length: 16 }], [gateway]) },
    ];
  }

  #process(argv: readonly string[]): ProcessSpec {
    return {
      argv,
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"],
      cwd: "/",
      user: { uid: 0, gid: 0, groups: [0], home: "/root" },
      capabilities: CAPABILITIES,
      seccomp: this.#filter,
      noNewPrivileges: false,
      rlimits: [],
      oomScoreAdj: undefined,
      terminal: undefined,
      init: false,
      keyring: "_ses.bench",
    };
  }
}
