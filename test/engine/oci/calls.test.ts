/** What containerd, conmon and people ask of the OCI runtime beside the life of a container. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { run, until } from "../../helpers/command.ts";
import { Place } from "./place.ts";

const oci = suite("engine/oci: calls");
let place: Place;
oci.before(() => {
  place = new Place();
});
oci.after(() => place.close());
oci.after.each(async () => {
  // A start of Node is most of what this takes.
  if (existsSync(join(place.directory, "state/c"))) await place.runtime("delete", "--force", "c");
});

/** Listens where a terminal is to be sent; the descriptor itself is more than Node can take. */
async function consoleSocket(name: string): Promise<{ readonly path: string; readonly got: Promise<void> }> {
  const path = join(place.directory, name);
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("data", () => {
      resolve();
      server.close();
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((ready) => server.listen(path, ready));
  return { path, got: promise };
}

oci("a terminal goes to the console socket, and nobody waits for who holds it", async () => {
  place.configure("sleep 100", {}, { terminal: true });
  const refused = await place.runtime("create", "c");
  assert.match(refused.stderr, "without setting console socket");
  const socket = await consoleSocket("tty");
  // Its output is a pipe, whose end this waits for: a container that holds it open would hang here.
  const created = await place.runtime("create", "--console-socket", socket.path, "--pid-file", "pid", "c");
  assert.is(created.status, 0, created.stderr);
  await socket.got;
  assert.is(await place.status("c"), "created");
});

oci("exec: a terminal, another user, a child of the caller, a file of containerd's", async () => {
  place.configure("sleep 100");
  await place.create("c");
  await place.runtime("start", "c");
  assert.match((await place.runtime("exec", "--tty", "c", "tty")).stdout, /^\/dev\/pts\/0\r\n$/);
  const { stdout } = await place.runtime(
    ...["exec", "--user", "7:8", "--env", "A=b", "--cwd", "/tmp", "c"],
    ...["sh", "-c", "id -u; id -g; echo $A; pwd"],
  );
  assert.is(stdout, "7\n8\nb\n/tmp\n");
  assert.match((await place.runtime("exec", "c", "nosuch")).stderr, "executable file not found in $PATH");

  const process_ = { args: ["sleep", "50"], env: ["PATH=/bin"], cwd: "/", user: { uid: 3 } };
  writeFileSync(join(place.bundle, "process.json"), JSON.stringify(process_));
  const files = ["--process", "process.json", "--pid-file", "exec.pid"];
  // Not a pipe: the program has it, and its end would not come.
  const detach = place.command("exec", "--detach", ...files, "c").map((word) => `'${word}'`);
  await run(["sh", "-c", `${detach.join(" ")} >/dev/null 2>&1 </dev/null`], { cwd: place.bundle });
  const pid = readFileSync(join(place.bundle, "exec.pid"), "utf8");
  assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), /^Uid:\t3\t/m);
  const pids = JSON.parse((await place.runtime("ps", "--format", "json", "c")).stdout) as number[];
  assert.equal(pids.toSorted(), [place.pid(), Number(pid)].toSorted());
});

oci("hooks run in their order, each in its namespaces", async () => {
  const seen = join(place.directory, "seen");
  const hook = (name: string, file = seen) => [
    {
      path: "/bin/sh",
      args: ["sh", "-c", `read state; echo ${name} $(hostname) $state | cut -c1-200 >> ${file}`],
      env: ["PATH=/bin:/usr/bin"],
    },
  ];
  mkdirSync(join(place.bundle, "rootfs/out"), { recursive: true });
  place.configure("sleep 100", {
    root: { path: "rootfs", readonly: false },
    hooks: {
      prestart: hook("prestart"),
      createRuntime: hook("createRuntime"),
      createContainer: hook("createContainer"),
      startContainer: hook("startContainer", "/out/seen"),
      poststart: hook("poststart"),
      poststop: hook("poststop"),
    },
  });
  const created = await place.create("c");
  assert.is(created.status, 0, place.output());
  await place.runtime("start", "c");
  await place.runtime("delete", "--force", "c");
  const lines = readFileSync(seen, "utf8").trimEnd().split("\n");
  const inside = readFileSync(join(place.bundle, "rootfs/out/seen"), "utf8");
  const names = lines.map((line) => line.split(" ")[0]);
  assert.equal(names, ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]);
  assert.match(lines[2] ?? "", /^createContainer oci .*"status":"creating"/);
  assert.match(lines[2] ?? "", `"pid":${place.pid()}`);
  assert.is.not(lines[1]?.split(" ")[1], "oci");
  assert.match(inside, /^startContainer oci .*"status":"created"/);

  place.configure("true", {
    hooks: { createContainer: [{ path: "/bin/sh", args: ["sh", "-c", "echo no; exit 3"] }] },
  });
  assert.is((await place.create("c")).status, 1);
  assert.match(place.output(), "hook /bin/sh ended with 3: no");
  assert.match((await place.runtime("state", "c")).stderr, "container does not exist");
});

oci("limits change while it runs, and what it uses is told", async () => {
  place.configure("sleep 100");
  await place.create("c");
  await place.runtime("start", "c");
  writeFileSync(join(place.bundle, "limits.json"), JSON.stringify({ pids: { limit: 31 } }));
  assert.is((await place.runtime("update", "--resources", "limits.json", "c")).status, 0);
  const memory = 32 << 20;
  assert.is((await place.runtime("update", "--memory", String(memory), "c")).status, 0);
  const event = JSON.parse((await place.runtime("events", "--stats", "c")).stdout);
  assert.equal([event.type, event.id, event.data.pids.limit], ["stats", "c", 31]);
  assert.is(event.data.memory.usage.limit, memory);
  await place.runtime("pause", "c");
  assert.is(await place.status("c"), "paused");
  assert.match((await place.runtime("exec", "c", "true")).stderr, "paused container");
  await place.runtime("kill", "c", "KILL");
  await until("it stopped", async () => (await place.status("c")) === "stopped");
});

oci("a tmpfs begins with what the image has there, if it is to", async () => {
  const tmpfs = (destination: string, ...options: readonly string[]) => ({
    destination,
    type: "tmpfs",
    options,
  });
  const proc = { destination: "/proc", type: "proc", source: "proc" };
  place.configure(
    "ls /etc /bin/../etc | grep -c passwd; (echo x > /etc/new) 2>&1 | grep -c Read-only; ls /root | wc -l",
    {
      mounts: [proc, tmpfs("/etc", "tmpcopyup", "ro"), tmpfs("/root")],
    },
  );
  assert.is((await place.runtime("run", "c")).stdout, "2\n1\n0\n");
});

oci("list, features and spec", async () => {
  place.configure("true");
  await place.create("c");
  const [state] = JSON.parse((await place.runtime("list", "--format", "json")).stdout);
  assert.equal([state.id, state.status, state.pid], ["c", "created", place.pid()]);
  assert.is((await place.runtime("list", "--quiet")).stdout, "c\n");
  const features = JSON.parse((await place.runtime("features")).stdout);
  assert.is(features.hooks.length, 6);
  assert.ok(features.linux.capabilities.includes("CAP_BPF"));
  const bundle = join(place.directory, "made");
  mkdirSync(bundle);
  assert.is((await place.runtime("spec", "--bundle", bundle)).status, 0);
  const config = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8"));
  assert.is(config.process.args[0], "sh");
  // It names no cgroup, and none is left of the one that it gets.
  config.process = { ...config.process, terminal: false, args: ["sh", "-c", "cat /proc/self/cgroup"] };
  config.root.path = join(place.bundle, "rootfs");
  config.linux.namespaces = config.linux.namespaces.filter(({ type }: { type: string }) => type !== "cgroup");
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  const { stdout, stderr } = await place.runtime("run", "--bundle", bundle, `${place.parent}-own`);
  assert.match(stdout, `/slipway-oci/${place.parent}-own`, stderr);
  const left = readdirSync("/sys/fs/cgroup").map(
    (name) => `/sys/fs/cgroup/${name}/slipway-oci/${place.parent}-own`,
  );
  assert.equal(left.filter(existsSync), []);
});

oci("descriptors are passed on, and only those that were asked for", async () => {
  place.configure("cat <&3; ls /proc/self/fd | wc -l");
  const command = place.command("run", "--preserve-fds", "1", "c");
  const quoted = command.map((word) => `'${word}'`).join(" ");
  const { stdout } = await run(["sh", "-c", `echo third | { ${quoted} 3<&0 4</dev/zero; }`], {
    cwd: place.bundle,
  });
  // ls itself has four: its own three, the preserved one, and the directory that it reads.
  assert.is(stdout, "third\n5\n");
});

for (const [why, args, changes] of [
  ["pivot_root", ["create", "--no-pivot", "c"], {}],
  ["cgroupfs", ["--systemd-cgroup", "create", "c"], {}],
  [
    "cgroupfs",
    ["create", "c"],
    { linux: { cgroupsPath: "user.slice:a:b", namespaces: [{ type: "mount" }] } },
  ],
  ["intelRdt is not supported", ["create", "c"], { linux: { intelRdt: {}, namespaces: [] } }],
  ["no command", ["checkpoint", "c"], {}],
  ["Unknown option", ["create", "--nosuch", "c"], {}],
  ["not open", ["create", "--preserve-fds", "40", "c"], {}],
] as const) {
  oci(`what is not supported is refused: ${args.join(" ")} ${Object.keys(changes)}`, async () => {
    place.configure("true", changes);
    const log = join(place.directory, "log");
    const { status, stderr } = await place.runtime("--log", log, "--log-format", "json", ...args);
    assert.is(status, 1);
    assert.match(stderr, why);
    const said = JSON.parse(readFileSync(log, "utf8").trimEnd().split("\n").at(-1) ?? "");
    assert.equal([said.level, stderr], ["error", `slipway-runtime: ${said.msg}\n`]);
  });
}

oci.run();
