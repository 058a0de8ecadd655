/** The command line that other engines call, on bundles as they make them. */
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
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { busyboxTar } from "../../helpers/busybox.ts";
import { type CommandResult, run, until } from "../../helpers/command.ts";

const main = join(import.meta.dirname, "../../../engine/oci/main.ts");
const caps = ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID"];

/** A bundle of busybox and the state of a runtime, with cgroups of their own. */
class Place {
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
    return run([process.execPath, main, "--root", join(this.directory, "state"), ...args], {
      cwd: this.bundle,
    });
  }

  /** Runs `create`, whose container has the file `out` as its stdio, as it would have a pipe of containerd's. */
  create(id: string): Promise<CommandResult> {
    const command = [
      process.execPath,
      main,
      "--root",
      join(this.directory, "state"),
      "create",
      "--pid-file",
      "pid",
      id,
    ];
    const quoted = command.map((word) => `'${word}'`).join(" ");
    return run(["sh", "-c", `exec ${quoted} </dev/null >out 2>&1`], { cwd: this.bundle });
  }

  output(): string {
    return readFileSync(join(this.bundle, "out"), "utf8");
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

const oci = suite("engine/oci");
let place: Place;
oci.before(() => {
  place = new Place();
});
oci.after(() => place.close());

oci("create, start, state, exec, kill and delete, as an engine calls them", async () => {
  place.configure("echo $WHO $(hostname) $(ulimit -n); trap 'exit 7' TERM; while true; do sleep 0.05; done");
  const created = await place.create("one");
  assert.is(created.status, 0, place.output());
  assert.is(await place.status("one"), "created");
  assert.ok(existsSync(`/proc/${readFileSync(join(place.bundle, "pid"), "utf8")}`));
  assert.is(place.output(), "");

  assert.is((await place.runtime("start", "one")).status, 0);
  await until("it has started", () => place.output() !== "");
  assert.is(place.output(), "bundle oci 90\n");
  const state = JSON.parse((await place.runtime("state", "one")).stdout);
  assert.equal(
    [state.id, state.status, state.bundle, typeof state.pid],
    ["one", "running", place.bundle, "number"],
  );

  const executed = await place.runtime("exec", "one", "sh", "-c", "echo $$ $WHO; exit 5");
  assert.equal([executed.status, executed.stdout.endsWith(" bundle\n")], [5, true]);
  assert.is((await place.runtime("delete", "one")).status, 1, "it runs");
  assert.is((await place.runtime("create", "one")).status, 1, "the id is taken");

  assert.is((await place.runtime("kill", "one", "TERM")).status, 0);
  await until("it has stopped", async () => (await place.status("one")) === "stopped");
  assert.is((await place.runtime("delete", "one")).status, 0);
  assert.is((await place.runtime("state", "one")).status, 1);
});

oci("run has the caller's stdio and the program's status", async () => {
  const script =
    "cat; id -u; grep -c . /proc/keys; (echo x > /file) 2>&1; (echo x > /proc/sys/kernel/domainname) 2>&1; exit 9";
  place.configure(script);
  const state = join(place.directory, "state");
  const { status, stdout } = await run([process.execPath, main, "--root", state, "run", "two"], {
    cwd: place.bundle,
    input: "typed\n",
  });
  assert.is(status, 9);
  assert.match(stdout, /^typed\n0\n0\n(sh: can't create .*: Read-only file system\n){2}$/);
  assert.is((await place.runtime("state", "two")).status, 1, "nothing is left of it");
});

oci("a program that is not there fails start, and what cannot be set up fails create", async () => {
  place.configure("", {}, { args: ["/no/such"] });
  assert.is((await place.create("three")).status, 0);
  const started = await place.runtime("start", "three");
  assert.is(started.status, 1);
  assert.match(started.stderr, "/no/such");
  assert.is((await place.runtime("delete", "--force", "three")).status, 0);

  place.configure("true", {
    mounts: [{ destination: "/x", type: "bind", source: "/no/such", options: ["bind"] }],
  });
  const failed = await place.runtime("create", "four");
  assert.is(failed.status, 1);
  assert.match(failed.stderr, "/no/such");
  assert.is((await place.runtime("state", "four")).status, 1);
});

oci("a bundle cannot leave its cgroup", async () => {
  place.configure("true", {
    linux: { cgroupsPath: "/../../x", namespaces: [{ type: "mount" }, { type: "pid" }] },
  });
  const { status, stderr } = await place.runtime("create", "five");
  assert.is(status, 1);
  assert.match(stderr, "cgroupsPath");
});

oci("hooks run with the state on their stdin", async () => {
  const hook = (name: string) => [
    { path: "/bin/sh", args: ["sh", "-c", `cat > ${place.directory}/${name}`] },
  ];
  place.configure("true", { hooks: { createRuntime: hook("created"), poststop: hook("stopped") } });
  assert.is(
    (await place.create("six")).status,
    0,
    existsSync(join(place.bundle, "out")) ? place.output() : "",
  );
  assert.is(JSON.parse(readFileSync(join(place.directory, "created"), "utf8")).id, "six");
  assert.is((await place.runtime("delete", "--force", "six")).status, 0);
  assert.is(JSON.parse(readFileSync(join(place.directory, "stopped"), "utf8")).status, "stopped");
});

oci.run();
