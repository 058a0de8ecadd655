import { randomBytes } from "node:crypto";
import { mkdir, open, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EngineError } from "../errors.ts";
import type { Session } from "../native/monitor.ts";
import { mountFlag } from "../native/protocol.ts";
import type { Networks } from "../networks/networks.ts";
import type { Attachment } from "../networks/types.ts";
import type { Paths } from "../store/paths.ts";
import { CAPABILITIES, DEFAULT_CAPABILITIES } from "./capabilities.ts";
import { limitWrites } from "./cgroups/limits.ts";
import { MASKED_PATHS, networkSysctls, READONLY_PATHS, SHM_SIZE } from "./defaults.ts";
import { containerDevices } from "./devices.ts";
import { DEFAULT_PATH, overrideEnvironment, withHome } from "./environment.ts";
import type { Host } from "./host.ts";
import { type Launch, type Launcher, startProgram } from "./launcher.ts";
import { engineFile, type ProcessSpec, type Spec, type SpecMount } from "./operations.ts";
import { rlimits } from "./rlimits.ts";
import { initLayer } from "./rootfs.ts";
import type { SeccompFilters } from "./seccomp/filters.ts";
import type { BuildStep, StepMount, StepResult, StepRunner } from "./types.ts";
import { resolveUser } from "./users.ts";

export interface StepTools {
  readonly paths: Paths;
  readonly host: Host;
  readonly launcher: Launcher;
  readonly filters: SeccompFilters;
  readonly networks: Pick<Networks, "attach" | "release">;
}

/** Runs the steps of builds: containers with the isolation of any other, of which nothing is recorded. */
export class Steps implements StepRunner {
  readonly #tools: StepTools;

  constructor(tools: StepTools) {
    this.#tools = tools;
  }

  async runStep(step: BuildStep): Promise<StepResult> {
    step.signal?.throwIfAborted();
    const { paths, networks, launcher } = this.#tools;
    const id = randomBytes(32).toString("hex");
    const runDir = paths.runContainer(id);
    await mkdir(runDir, { mode: 0o700 });
    await mkdir(filesOf(runDir), { mode: 0o700 });
    try {
      const attachment = await networks.attach(networkRequest(id, step));
      const mounts = await this.#mounts(runDir, step, attachment);
      const launch = await launcher.launch(await this.#spec(id, runDir, step, attachment, mounts));
      return await this.#run(launch, step);
    } finally {
      await networks.release(id);
      await rm(filesOf(runDir), { recursive: true, force: true });
      await rm(runDir, { recursive: true, force: true });
    }
  }

  async #run(launch: Launch, step: BuildStep): Promise<StepResult> {
    const { monitor } = launch;
    const kill = (): void => void monitor.signal(SIGKILL).catch(() => {}); // It may have exited by itself.
    step.signal?.addEventListener("abort", kill);
    let session: Session | undefined;
    try {
      const streams = { stdin: step.stdin !== undefined, stdout: true, stderr: true };
      session = await monitor.attach(streams, {
        data: (stream, chunk) => {
          step.output(stream, chunk);
          return true;
        },
      });
      await startProgram(monitor, this.#process(launch, step));
      if (step.stdin !== undefined) {
        session.write(step.stdin);
        session.endInput();
      }
      // The session ends after the last output, the monitor's own word may come before it.
      const exit = (await session.exited) ?? (await monitor.exited);
      step.signal?.throwIfAborted();
      if (exit === undefined) throw new EngineError("system", "the monitor of a build step was lost");
      return { exitCode: exit.code, oomKilled: exit.oom };
    } catch (error) {
      kill();
      await monitor.exited;
      throw error;
    } finally {
      step.signal?.removeEventListener("abort", kill);
      session?.close();
      monitor.close();
    }
  }

  async #spec(
    id: string,
    runDir: string,
    step: BuildStep,
    attachment: Attachment,
    mounts: readonly SpecMount[],
  ): Promise<Spec> {
    const { host } = this.#tools;
    const privileged = step.security === "insecure";
    const devices = await containerDevices({ Privileged: privileged });
    const cwd = step.cwd ?? "/";
    return {
      runDir,
      stateDir: runDir,
      tty: false,
      openStdin: step.stdin !== undefined,
      stdinOnce: true,
      log: undefined,
      cgroup: {
        tree: host.cgroups,
        path: `${host.cgroupParent}/${id}`,
        limits: limitWrites(host.cgroups, step.resources ?? {}),
        devices: devices.rules,
      },
      namespaces: [
        "mount",
        "pid",
        "ipc",
        "uts",
        "cgroup",
        ...(attachment.hostNamespace ? [] : (["net"] as const)),
      ],
      joins: [],
      hostFiles: [],
      network: attachment.ops,
      root: {
        lowers: [...step.lowers, mountPoints(runDir), initLayer(this.#tools.paths)],
        upper: step.upper,
        work: step.work,
        readonly: false,
        // What a step wrote is thrown away after a crash: syncing it, as dpkg does all the time, would be for nothing.
        options: ["volatile"],
      },
      hostname: step.hostname ?? id.slice(0, 12),
      domainname: "",
      privileged,
      shm: { kind: "own", size: step.shmSize || SHM_SIZE },
      nodes: devices.nodes,
      mounts,
      files: [],
      directories: cwd === "/" ? [] : [cwd],
      masked: privileged ? [] : [...MASKED_PATHS, ...host.sidechannelPaths],
      readonlyPaths: privileged ? [] : READONLY_PATHS,
      sysctls: attachment.hostNamespace ? {} : networkSysctls(),
    };
  }

  #process(launch: Launch, step: BuildStep): ProcessSpec {
    const { host, filters } = this.#tools;
    const privileged = step.security === "insecure";
    const capabilities = privileged
      ? CAPABILITIES.filter((name) => host.capabilities.has(name))
      : DEFAULT_CAPABILITIES;
    const user = resolveUser(step.user ?? "", launch.passwd, launch.group);
    const hasPath = step.env.some((pair) => pair.startsWith("PATH="));
    return {
      argv: step.argv,
      env: withHome(overrideEnvironment(hasPath ? [] : [`PATH=${DEFAULT_PATH}`], step.env), user.home),
      cwd: step.cwd ?? "/",
      user,
      capabilities,
      seccomp: filters.get(privileged ? "unconfined" : "default", capabilities),
      noNewPrivileges: false,
      rlimits: rlimits(step.ulimits ?? []),
      oomScoreAdj: undefined,
      terminal: undefined,
      init: false,
      keyring: undefined,
    };
  }

  /** The step's mounts and the engine's files, with a place for each to lie on that is not in the step's own layer. */
  async #mounts(runDir: string, step: BuildStep, attachment: Attachment): Promise<readonly SpecMount[]> {
    const points = mountPoints(runDir);
    await mkdir(points);
    const mounts: SpecMount[] = [];
    const engineFiles = [
      ["/etc/hosts", attachment.hosts],
      ["/etc/resolv.conf", attachment.resolvConf],
    ] as const;
    // No /etc/hostname: a step that writes one means the image.
    for (const [target, content] of engineFiles) {
      const source = join(filesOf(runDir), target.slice("/etc/".length));
      await writeFile(source, content, { mode: 0o644 });
      mounts.push(engineFile(source, target, false));
    }
    for (const [index, mount] of (step.mounts ?? []).entries()) {
      mounts.push(await stepMount(mount, join(filesOf(runDir), `mount-${index}`), points));
    }
    return mounts;
  }
}

const SIGKILL = 9;

/** Beside the run directory: over that one the root file system is mounted while binds are made. */
function filesOf(runDir: string): string {
  return `${runDir}.files`;
}

function mountPoints(runDir: string): string {
  return join(filesOf(runDir), "points");
}

async function stepMount(mount: StepMount, file: string, points: string): Promise<SpecMount> {
  const point = join(points, mount.target);
  switch (mount.type) {
    case "tmpfs": {
      await mkdir(point, { recursive: true });
      const { nosuid, nodev, noexec } = mountFlag;
      const size = mount.size === undefined ? "" : `,size=${mount.size}`;
      return {
        type: "tmpfs",
        target: mount.target,
        flags: nosuid | nodev | noexec,
        data: `mode=1777${size}`,
      };
    }
    case "file": {
      await mkdir(dirname(point), { recursive: true });
      await writeFile(point, "");
      const handle = await open(file, "wx", mount.mode);
      await handle.writeFile(mount.content);
      await handle.chown(mount.uid, mount.gid);
      await handle.chmod(mount.mode);
      await handle.close();
      return engineFile(file, mount.target, true);
    }
    case "bind": {
      await mkdir(dirname(point), { recursive: true });
      if (mount.directory ?? (await stat(mount.source)).isDirectory())
        await mkdir(point, { recursive: true });
      else await writeFile(point, "");
      return engineFile(mount.source, mount.target, mount.readonly ?? false, mount.subpath);
    }
  }
}

function networkRequest(id: string, step: BuildStep): Parameters<Networks["attach"]>[0] {
  return {
    id,
    name: `step-${id.slice(0, 12)}`,
    hostname: step.hostname ?? id.slice(0, 12),
    mode: step.network ?? "bridge",
    extraHosts: step.hosts ?? [],
  };
}
