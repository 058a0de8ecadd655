/** A bundle of busybox and the state of a runtime, for the tests of the OCI runtime's command line. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { runtimeCommand } from "../../helpers/bundles.ts";
import { busyboxTar } from "../../helpers/busybox.ts";
import { type CommandResult, run } from "../../helpers/command.ts";

const program = runtimeCommand();
const caps = ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID"];

/** With cgroups of their own. */
export class Place {
  readonly directory = mkdtempSync("/var/tmp/slw-oci-");
  readonly bundle = join(this.directory, "bundle");
  readonly parent = basename(this.directory);

  constructor() {
    mkdirSync(join(this.bundle, "rootfs"), { recursive: true });
    execFileSync("tar", ["-x", "-C", join(this.bundle, "rootfs")], { input: busyboxTar() });
  }

  /** Writes config.json as `runc spec` has it, for a shell script. */
  configure(script: string, changes: object = {}, process: object = {}): void {
    const set = { bounding: caps, effective: caps, permitted: caps };
    const mount = (destination: string, type: string, options: readonly string[]) => ({
      destination,
      type,
      source: type,
      options,
    });
    const config = {
      ociVersion: "1.0.2",
      process: {
        terminal: false,
        user: { uid: 0, gid: 0 },
        args: ["sh", "-c", script],
        env: ["PATH=/bin", "WHO=bundle"],
        cwd: "/",
        capabilities: set,
        rlimits: [{ type: "RLIMIT_NOFILE", hard: 100, soft: 90 }],
        noNewPrivileges: true,
        ...process,
      },
      root: { path: "rootfs", readonly: true },
      hostname: "oci",
      mounts: [
        mount("/proc", "proc", []),
        mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/dev/pts", "devpts", [
          "nosuid",
          "noexec",
          "newinstance",
          "ptmxmode=0666",
          "mode=0620",
          "gid=5",
        ]),
        mount("/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        mount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
        mount("/tmp", "tmpfs", ["nosuid", "nodev"]),
      ],
      linux: {
        cgroupsPath: `/${this.parent}/c`,
        resources: { devices: [{ allow: false, access: "rwm" }], pids: { limit: 20 } },
        namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup"].map((type) => ({ type })),
        maskedPaths: ["/proc/keys", "/sys/firmware"],
        readonlyPaths: ["/proc/sys"],
      },
      ...changes,
    };
    writeFileSync(join(this.bundle, "config.json"), JSON.stringify(config));
  }

  runtime(...args: string[]): Promise<CommandResult> {
    return run(this.command(...args), { cwd: this.bundle });
  }

  command(...args: readonly string[]): string[] {
    return [...program, "--root", join(this.directory, "state"), ...args];
  }

  /** Runs `create`, whose container has the file `out` as its stdio, as it would have a pipe of containerd's. */
  create(id: string, ...options: readonly string[]): Promise<CommandResult> {
    const command = this.command("create", "--pid-file", "pid", ...options, id);
    const quoted = command.map((word) => `'${word}'`).join(" ");
    return run(["sh", "-c", `exec ${quoted} </dev/null >out 2>&1`], { cwd: this.bundle });
  }

  output(): string {
    return readFileSync(join(this.bundle, "out"), "utf8");
  }

  /** The pid that `create` wrote. */
  pid(): number {
    return Number(readFileSync(join(this.bundle, "pid"), "utf8"));
  }

  async status(id: string): Promise<string> {
    return JSON.parse((await this.runtime("state", id)).stdout).status;
  }

  /** Removes all of it. @throws if a cgroup of a container is still there */
  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
    for (const root of [
      "/sys/fs/cgroup",
      ...readdirSync("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name)),
    ]) {
      const path = join(root, this.parent);
      if (existsSync(path)) rmdirSync(path);
    }
  }
}
