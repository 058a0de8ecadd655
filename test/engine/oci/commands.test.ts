/** The OCI runtime's command line, as dockerd and containerd call it, on bundles of busybox. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mountOptions } from "../../../engine/oci/mount-options.ts";
import { runtimeCommand } from "../../helpers/bundles.ts";
import { type CommandResult, run, until } from "../../helpers/command.ts";

const oci = suite<{ directory: string }>("engine/oci: commands");
oci.before.each((context) => {
  context.directory = mkdtempSync("/var/tmp/slw-oci-");
});
oci.after.each(async ({ directory }) => {
  await runtime(directory, "delete", "--force", "c");
  rmSync(directory, { recursive: true });
});

const PROGRAM = runtimeCommand();

function runtime(directory: string, ...args: readonly string[]): Promise<CommandResult> {
  return run([...PROGRAM, "--root", join(directory, "root"), ...args], { limitMs: 20_000, input: "" });
}

oci("options alone need no command", async ({ directory }) => {
  assert.match((await runtime(directory, "--version")).stdout, "slipway-runtime version ");
  const { status, stdout } = await runtime(directory);
  assert.is(status, 1);
  assert.match(stdout, "usage: slipway-runtime");
});

/** As above, with files for stdio: the container keeps what it gets, and a pipe would not end before it does. */
async function create(directory: string, ...args: readonly string[]): Promise<CommandResult> {
  const output = join(directory, "output");
  const command = [...PROGRAM, "--root", join(directory, "root")];
  const script = 'exec "$@" >"$0" 2>&1 </dev/null';
  const result = await run(["sh", "-c", script, output, ...command, ...args], { limitMs: 20_000 });
  return { ...result, stderr: readFileSync(output, "utf8") };
}

/** A bundle that runs a shell line. `change` is laid over config.json. */
function bundle(directory: string, line: string, change: object = {}): string {
  const rootfs = join(directory, "rootfs");
  for (const name of ["bin", "etc", "proc", "dev"]) mkdirSync(join(rootfs, name), { recursive: true });
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"));
  for (const name of ["sh", "sleep", "cat", "grep", "id", "hostname"])
    symlinkSync("busybox", join(rootfs, "bin", name));
  const config = {
    ociVersion: "1.1.0",
    process: {
      args: ["sh", "-c", line],
      env: ["PATH=/bin"],
      cwd: "/",
      capabilities: { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] },
    },
    root: { path: "rootfs", readonly: true },
    hostname: "oci",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    ],
    linux: {
      cgroupsPath: `/${directory.slice("/var/tmp/".length)}`,
      namespaces: ["pid", "mount", "ipc", "uts", "network"].map((type) => ({ type })),
      readonlyPaths: ["/proc/sys"],
    },
    ...change,
  };
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  return directory;
}

oci("run has the caller's stdio and the program's status", async ({ directory }) => {
  bundle(directory, "hostname; grep CapEff /proc/self/status; echo x >/file; exit 7");
  const { status, stdout, stderr } = await runtime(directory, "run", "--bundle", directory, "c");
  assert.is(stdout, "oci\nCapEff:\t0000000000000020\n");
  assert.match(stderr, "Read-only file system");
  assert.is(status, 7);
  assert.is(existsSync(join(directory, "root/c")), false);
});

oci(
  "create, start, exec, pause, kill and delete go through the states of the specification",
  async ({ directory }) => {
    bundle(directory, "sleep 100");
    const pidFile = join(directory, "pid");
    const status = async (): Promise<string> =>
      JSON.parse((await runtime(directory, "state", "c")).stdout).status;
    const created = await create(directory, "create", "--bundle", directory, "--pid-file", pidFile, "c");
    assert.is(created.status, 0, created.stderr);
    assert.is(await status(), "created");
    assert.ok(existsSync(`/proc/${readFileSync(pidFile, "utf8")}`));
    assert.match((await create(directory, "create", "--bundle", directory, "c")).stderr, "already exists");
    assert.is((await runtime(directory, "start", "c")).status, 0);
    assert.is(await status(), "running");
    const exec = await runtime(directory, "exec", "c", "sh", "-c", "id; exit 4");
    assert.equal([exec.status, exec.stdout], [4, "uid=0 gid=0\n"]);
    for (const word of ["pause", "resume"]) assert.is((await runtime(directory, word, "c")).status, 0);
    assert.match((await runtime(directory, "delete", "c")).stderr, "not stopped");
    assert.is((await runtime(directory, "kill", "c", "KILL")).status, 0);
    await until("it stopped", async () => (await status()) === "stopped");
    assert.is((await runtime(directory, "delete", "c")).status, 0);
    assert.match((await runtime(directory, "state", "c")).stderr, "does not exist");
  },
);

oci("hooks get the state, and one that fails undoes the container", async ({ directory }) => {
  const seen = join(directory, "seen");
  const hook = (line: string): object => ({
    path: "/bin/sh",
    args: ["sh", "-c", line],
    env: ["PATH=/bin:/usr/bin"],
  });
  bundle(directory, "true", { hooks: { prestart: [hook(`cat >${seen}`), hook("echo no >&2; exit 3")] } });
  const log = join(directory, "log");
  const { status } = await create(
    directory,
    "--log",
    log,
    "--log-format",
    "json",
    "create",
    "--bundle",
    directory,
    "c",
  );
  assert.is(status, 1);
  assert.is(JSON.parse(readFileSync(seen, "utf8")).status, "creating");
  assert.match(JSON.parse(readFileSync(log, "utf8")).msg, "hook /bin/sh ended with 3: no");
  assert.is(existsSync(join(directory, "root/c")), false);
});

for (const [options, expected] of [
  [["nosuid", "noexec", "mode=755"], { flags: 2 | 8, data: "mode=755" }],
  [["rbind", "ro", "rslave"], { flags: 1, bind: true, recursive: true, propagation: "rslave" }],
  [["bind", "ro", "rw"], { flags: 0, bind: true }],
  [["tmpcopyup", "rro"], { flags: 1, copyUp: true }],
] as const) {
  oci(`mount options ${options}`, () => {
    const none = { flags: 0, data: "", bind: false, recursive: false, propagation: undefined, copyUp: false };
    assert.equal(mountOptions(options), { ...none, ...expected });
  });
}

oci.run();
