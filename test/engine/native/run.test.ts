import { existsSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NativeError } from "../../../engine/native/connection.ts";
import { Monitor, readExit } from "../../../engine/native/monitor.ts";
import { Bench, collect, shell } from "./cell.ts";

interface Context {
  bench: Bench;
}

const run = suite<Context>("native/run");
run.before(async (context) => {
  context.bench = await Bench.open();
});
run.after(async ({ bench }) => bench[Symbol.asyncDispose]());

const lines = (path: string): { log: string; stream: string; time: string }[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

run("output goes to the log and to who is attached, the exit code to the record", async ({ bench }) => {
  const result = await bench.run("echo out; echo err >&2; printf half; exit 3");
  assert.equal([result.stdout, result.stderr, result.code], ["out\nhalf", "err\n", 3]);
  assert.equal(
    lines(result.cell.log)
      .map(({ stream, log }) => `${stream} ${log}`)
      .sort(),
    ["stderr err\n", "stdout half", "stdout out\n"],
  );
  const exit = await readExit(result.cell.stateDir);
  assert.equal([exit?.code, exit?.signal, exit?.oom], [3, 0, false]);
  assert.not(existsSync(join(result.cell.runDir, "monitor.sock")));
});

run("a signal's exit code is 128 and the signal", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.monitor.go(shell("exec sleep 100"));
  await cell.monitor.signal(9);
  const exit = await cell.monitor.exited;
  assert.equal([exit?.code, exit?.signal], [137, 9]);
  cell.monitor.close();
});

run("a container that is not started can be killed", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.kill();
  assert.is((await readExit(cell.stateDir))?.code, 137);
});

run("a program that is not there is the argv operation's ENOENT", async ({ bench }) => {
  const cell = await bench.launch();
  const ops = shell("").map((op) => (op.op === "argv" ? { op: "argv" as const, list: ["no-such"] } : op));
  const error = await cell.monitor.go(ops).then(
    () => undefined,
    (reason) => reason,
  );
  assert.instance(error, NativeError);
  assert.equal([error.code, error.index], ["ENOENT", ops.findIndex((op) => op.op === "argv")]);
  await cell.monitor.exited;
  assert.is((await readExit(cell.stateDir))?.code, 127);
  cell.monitor.close();
});

run("a failing operation is named, and nothing is left of the container", async ({ bench }) => {
  const error = await bench
    .launch({
      ops: [
        { op: "bind", source: "/no/such", target: "/x", recursive: false, flags: 0, propagation: "rprivate" },
      ],
    })
    .then(
      () => undefined,
      (reason) => reason,
    );
  assert.instance(error, NativeError);
  assert.is(error.code, "ENOENT");
  assert.match(error.message, "/no/such");
});

run("exec runs in the container's namespaces and cgroups", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.monitor.go(shell("exec sleep 100"));
  const links = "for n in mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done";
  const inside = await cell.exec(links);
  const first = await cell.exec("for n in mnt pid net ipc uts cgroup; do readlink /proc/1/ns/$n; done");
  assert.is(inside.code, 0);
  assert.is(inside.stdout, first.stdout);
  assert.is((await cell.exec("cat /proc/self/cgroup | sort -u | grep -vc ':/$'")).stdout, "0\n");
  assert.equal(await cell.exec("echo o; echo e >&2; exit 7"), { code: 7, stdout: "o\n", stderr: "e\n" });
  await cell.kill();
});

run("exec of a missing program answers with its errno", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.monitor.go(shell("exec sleep 100"));
  const ops = [{ op: "argv" as const, list: ["/no/such"] }];
  const error = await cell.monitor.exec(ops, { data: () => true }).then(
    () => undefined,
    (reason) => reason,
  );
  assert.is(error.code, "ENOENT");
  await cell.kill();
});

run("exec carries stdin to its end", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.monitor.go(shell("exec sleep 100"));
  const collected = await collect((output) =>
    cell.monitor.exec(
      [...shell("wc -c"), { op: "streams", stdin: true, stdout: true, stderr: true }],
      output,
    ),
  );
  const block = Buffer.alloc(100_000, "x");
  for (let i = 0; i < 30; i++) if (!collected.session.write(block)) await collected.session.drained();
  collected.session.endInput();
  assert.is((await collected.session.exited)?.code, 0);
  assert.is(collected.text().stdout, "3000000\n");
  await cell.kill();
});

run("with stdinOnce the program's stdin ends with its client's", async ({ bench }) => {
  const cell = await bench.launch({ openStdin: true, stdinOnce: true });
  const collected = await cell.attach({ stdin: true, stdout: true, stderr: true });
  collected.session.write(Buffer.from("one\ntwo\n"));
  collected.session.endInput();
  await cell.monitor.go(shell("cat; echo end"));
  assert.is((await collected.session.exited)?.code, 0);
  assert.is(collected.text().stdout, "one\ntwo\nend\n");
  cell.monitor.close();
});

run("without it the stdin stays open for the next", async ({ bench }) => {
  const cell = await bench.launch({ openStdin: true });
  await cell.monitor.go(shell("read a; read b; echo $a $b"));
  const first = await cell.attach({ stdin: true, stdout: false, stderr: false });
  first.session.write(Buffer.from("one\n"));
  first.session.endInput();
  await new Promise((resolve) => setTimeout(resolve, 50));
  first.session.close();
  const second = await cell.attach({ stdin: true, stdout: true, stderr: true });
  second.session.write(Buffer.from("two\n"));
  await cell.monitor.exited;
  await second.session.exited;
  assert.is(second.text().stdout, "one two\n");
  cell.monitor.close();
});

run("a terminal has a size, a controlling session and /dev/console", async ({ bench }) => {
  const cell = await bench.launch({ tty: true, openStdin: true });
  const collected = await cell.attach({ stdin: true, stdout: true, stderr: true });
  await cell.monitor.resize(40, 120);
  await cell.monitor.go(
    shell(
      "stty size; tty; test -t 0 && test -c /dev/console && echo console; read x; echo got $x; exec cat /dev/tty",
    ),
  );
  collected.session.write(Buffer.from("hello\n"));
  await new Promise((resolve) => setTimeout(resolve, 200));
  collected.session.write(Buffer.from([4]));
  assert.is((await collected.session.exited)?.signal, 0);
  const { stdout } = collected.text();
  // The echo of what is typed comes wherever it comes.
  for (const line of ["40 120", "/dev/pts/0", "console", "got hello"]) assert.match(stdout, `${line}\r\n`);
  cell.monitor.close();
});

run("exec with a terminal of its own", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.monitor.go(shell("exec sleep 100"));
  const collected = await collect((output) =>
    cell.monitor.exec(
      [
        ...shell("stty size; tty; sleep 0.3; stty size"),
        { op: "terminal", rows: 30, columns: 90 },
        { op: "streams", stdin: true, stdout: true, stderr: true },
      ],
      output,
    ),
  );
  collected.session.resize(31, 91);
  assert.is((await collected.session.exited)?.code, 0);
  assert.match(collected.text().stdout, /\/dev\/pts\/0\r\n31 91\r\n$/);
  await cell.kill();
});

run("our process 1 reaps, passes signals on and ends as the program", async ({ bench }) => {
  const cell = await bench.launch();
  const collected = await cell.attach();
  await cell.monitor.go(
    shell(
      "trap 'echo term; exit 9' TERM; echo $$; (sleep 0.05 &) ; echo ready; while true; do sleep 0.1; done",
      [{ op: "init" }],
    ),
  );
  while (!collected.text().stdout.includes("ready")) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 150));
  const zombies = await cell.exec(
    "grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l; cat /proc/1/comm",
  );
  assert.is(zombies.stdout, "0\ninit\n");
  await cell.monitor.signal(15);
  await collected.session.exited;
  assert.is((await readExit(cell.stateDir))?.code, 9);
  assert.match(collected.text().stdout, /^2\nready\nterm\n$/);
  cell.monitor.close();
});

run("a container lives on without spawner and control connection", async ({ bench }) => {
  await using other = await Bench.open();
  const cell = await other.launch();
  await cell.monitor.go(shell("sleep 0.3; echo late; exit 5"));
  cell.monitor.close();
  await other.spawner.close();
  const again = await Monitor.open(cell.runDir);
  assert.is(again.state, "running");
  assert.is(again.pid, cell.launched.pid);
  assert.is((await again.exited)?.code, 5);
  assert.is(lines(cell.log)[0]?.log, "late\n");
  again.close();
  assert.ok(bench);
});

run("a container ends with its monitor, and leaves no record", async ({ bench }) => {
  for (const init of [[], [{ op: "init" } as const]]) {
    const cell = await bench.launch();
    await cell.monitor.go(shell("sleep 1000 & exec sleep 1000", init));
    process.kill(cell.launched.monitorPid, "SIGKILL");
    assert.is(await cell.monitor.exited, undefined);
    assert.is(await readExit(cell.stateDir), undefined);
    const ended = (): boolean => bench.cgroupPaths(cell.name).every((path) => removed(path));
    for (let tries = 0; !ended() && tries < 100; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(ended());
  }
});

/** An empty cgroup can be removed; one with processes cannot. */
function removed(path: string): boolean {
  try {
    rmdirSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
  return true;
}

run("readFile returns contents, and nothing for what is no regular file", async ({ bench }) => {
  const cell = await bench.launch({
    ops: [
      { op: "readFile", path: "/etc/passwd", limit: 10 },
      { op: "readFile", path: "/etc", limit: 10 },
      { op: "readFile", path: "/etc/no", limit: 10 },
    ],
    after: [{ op: "readFile", path: "/etc/group", limit: 1000 }],
  });
  assert.equal(
    cell.launched.files.map((file) => file?.toString()),
    ["root:x:0:0", undefined, undefined, "root:x:0:\nnobody:x:65534:\n"],
  );
  await cell.kill();
});

run.run();
