/** What `docker run` can change: user, limits, filters, namespaces, volumes. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mountFlag, type PrepareOp, type ProcessOp } from "../../../engine/native/protocol.ts";
import { Bench, dockerCaps, hierarchies, shell } from "./cell.ts";

interface Context {
  bench: Bench;
}

const options = suite<Context>("native/options");
options.before(async (context) => {
  context.bench = await Bench.open();
});
options.after(async ({ bench }) => bench[Symbol.asyncDispose]());

/** In place of a test that this machine cannot run. */
const skipped = (_name: string, _test: unknown): void => undefined;

/** Operations with some replaced by kind. */
const replace = (ops: readonly ProcessOp[], ...by: readonly ProcessOp[]): ProcessOp[] => [
  ...ops.filter((op) => !by.some((other) => other.op === op.op)),
  ...by,
];

async function result(bench: Bench, ops: readonly ProcessOp[]): Promise<string> {
  const cell = await bench.launch();
  const seen = await cell.attach();
  await cell.monitor.go(ops);
  await seen.session.exited;
  cell.monitor.close();
  return seen.text().stdout + seen.text().stderr;
}

options("another user has its groups, no capabilities, and may open its stdout again", async ({ bench }) => {
  const caps = {
    op: "caps",
    bounding: dockerCaps,
    permitted: 0n,
    effective: 0n,
    inheritable: 0n,
    ambient: 0n,
  } as const;
  const out = await result(
    bench,
    replace(
      shell("id -u; id -G; grep -E '^Cap' /proc/self/status; echo again > /dev/stdout; touch /x"),
      caps,
      { op: "user", uid: 1000, gid: 7, groups: [7, 44] },
    ),
  );
  assert.match(out, /^1000\n7 44\n/);
  assert.match(out, /CapInh:\t0+\nCapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t00000000a80425fb\nCapAmb:\t0+\n/);
  assert.match(out, /^again$/m);
  assert.match(out, "Permission denied");
});

options("all capabilities are those that the engine has itself", async ({ bench }) => {
  const all = (1n << 64n) - 1n;
  const out = await result(
    bench,
    replace(shell("grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status"), {
      op: "caps",
      bounding: all,
      permitted: all,
      effective: all,
      inheritable: 0n,
      ambient: 0n,
    }),
  );
  const own = readFileSync("/proc/self/status", "utf8").match(/^CapEff:\t(\w+)/m)?.[1];
  assert.match(out, `CapEff:\t${own}`);
});

options("umask, limits, no_new_privs and working directory", async ({ bench }) => {
  const out = await result(
    bench,
    replace(
      shell("umask; ulimit -n; ulimit -Hn; grep NoNew /proc/self/status; pwd; cat /proc/self/oom_score_adj"),
      { op: "umask", mask: 0o27 },
      { op: "rlimit", resource: 7, soft: 100n, hard: 200n },
      { op: "noNewPrivileges" },
      { op: "cwd", path: "/tmp" },
      { op: "oomScoreAdj", value: 500 },
    ),
  );
  assert.is(out, "0027\n100\n200\nNoNewPrivs:\t1\n/tmp\n500\n");
});

options("a hard limit above what may be set becomes the highest that may", async ({ bench }) => {
  const out = await result(
    bench,
    replace(shell("ulimit -Hn"), { op: "rlimit", resource: 7, soft: 100n, hard: 1n << 30n }),
  );
  assert.match(out, /^\d+\n$/);
});

/** A filter that fails mkdir(2) and mkdirat(2) with EPERM on x86_64, and allows the rest. */
function filter(): Uint8Array {
  const instructions = [
    [0x20, 0, 0, 0],
    [0x15, 2, 0, 83],
    [0x15, 1, 0, 258],
    [0x06, 0, 0, 0x7fff0000],
    [0x06, 0, 0, 0x00050001],
  ] as const;
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, jt, jf, k], i) => {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(jt, i * 8 + 2);
    bytes.writeUInt8(jf, i * 8 + 3);
    bytes.writeUInt32LE(k, i * 8 + 4);
  });
  return bytes;
}

options(
  "a seccomp filter holds for the program and for exec, with and without no_new_privs",
  async ({ bench }) => {
    const ops: ProcessOp[] = [{ op: "seccomp", filter: filter() }];
    for (const more of [[], [{ op: "noNewPrivileges" } as const]]) {
      const cell = await bench.launch();
      await cell.monitor.go(shell("exec sleep 100", [...ops, ...more]));
      const { stdout } = await cell.exec("grep Seccomp: /proc/1/status; mkdir /tmp/x 2>&1", [
        ...ops,
        ...more,
      ]);
      assert.match(stdout, "Seccomp:\t2\n");
      assert.match(stdout, "Operation not permitted");
      await cell.kill();
    }
    const cell = await bench.launch();
    const error = await cell.monitor
      .go(shell(":", [{ op: "seccomp", filter: Buffer.alloc(12) }]))
      .catch((reason) => reason);
    assert.is(error.code, "EINVAL");
    await cell.monitor.exited;
    cell.monitor.close();
  },
);

options("a volume is filled from the image once, with owners, modes and links", async ({ bench }) => {
  const layer = join(bench.directory, "data-layer");
  const volume = join(bench.directory, "volume");
  mkdirSync(join(layer, "data/sub"), { recursive: true });
  mkdirSync(volume, { mode: 0o755 });
  execFileSync(
    "/bin/sh",
    [
      "-ec",
      "echo one > data/file; ln -s file data/link; chown 5:6 data/file data/sub data; chmod 4751 data/file; chmod 1770 data; touch -d @1000 data/sub; mkfifo data/pipe",
    ],
    { cwd: layer },
  );
  const ops: PrepareOp[] = [
    { op: "volumeInit", target: "/data", volume },
    { op: "bind", source: volume, target: "/data", recursive: true, flags: 0, propagation: "rprivate" },
  ];
  const script =
    "cd /data; stat -c '%n %a %u:%g %F' . file link sub pipe; stat -c %Y sub; cat link; echo two > file";
  const expected =
    ". 1770 5:6 directory\nfile 4751 5:6 regular file\nlink 777 0:0 symbolic link\nsub 755 5:6 directory\npipe 644 0:0 fifo\n1000\n";
  assert.is((await bench.run(script, { lowers: [layer], ops })).stdout, `${expected}one\n`);
  assert.match((await bench.run("cat /data/file", { lowers: [layer], ops })).stdout, /^two\n$/);
  assert.is(readFileSync(join(layer, "data/file"), "utf8"), "one\n");
});

options("bind mounts: read-only with all below, a part of a volume, a file", async ({ bench }) => {
  const source = join(bench.directory, "bound");
  mkdirSync(join(source, "part"), { recursive: true });
  writeFileSync(join(source, "part/file"), "part\n");
  execFileSync("ln", ["-s", "/etc", join(source, "out")]);
  const bind = (target: string, flags: number, subpath?: string, from = source): PrepareOp => ({
    op: "bind",
    source: from,
    target,
    recursive: true,
    flags,
    propagation: "rprivate",
    ...(subpath === undefined ? {} : { subpath }),
  });
  const { stdout } = await bench.run(
    "touch /ro/x 2>&1; cat /part/file; cat /one; touch /rw/y && echo wrote",
    {
      ops: [
        bind("/ro", mountFlag.ro),
        bind("/part", 0, "part"),
        bind("/rw", mountFlag.nosuid),
        bind("/one", 0, undefined, join(source, "part/file")),
      ],
    },
  );
  assert.match(stdout, "Read-only file system");
  assert.match(stdout, "part\npart\nwrote\n");
  const error = await bench.launch({ ops: [bind("/x", 0, "out/passwd")] }).catch((reason) => reason);
  assert.is(error.code, "ENOENT");
});

options("a read-only root leaves /dev and volumes writable", async ({ bench }) => {
  const { stdout } = await bench.run("touch /x 2>&1; touch /dev/x && echo dev", {
    ops: [{ op: "readonlyRoot" }],
  });
  assert.match(stdout, "Read-only file system");
  assert.match(stdout, "dev\n");
});

options("namespaces of another container are joined", async ({ bench }) => {
  const first = await bench.launch();
  await first.monitor.go(shell("exec sleep 100"));
  const kinds = ["net", "ipc", "pid", "uts"] as const;
  const second = await bench.launch({
    namespaces: ["mount", "cgroup"],
    joins: kinds.map((kind) => ({ kind, path: `/proc/${first.launched.pid}/ns/${kind}` })),
  });
  await second.monitor.go(shell("exec sleep 100"));
  for (const kind of kinds) {
    const link = `readlink /proc/self/ns/${kind}`;
    assert.is((await second.exec(link)).stdout, (await first.exec(link)).stdout, kind);
  }
  assert.match((await second.exec("ps")).stdout, /1 .*sleep 100[\s\S]*sleep 100/);
  const exited = second.monitor.exited;
  await first.kill();
  assert.is((await exited)?.signal, 9, "the end of a PID namespace is the end of all in it");
  second.monitor.close();
});

// Rootless without a delegated cgroup: nothing can be limited, nor found again.
const limited = hierarchies().length > 0 ? options : skipped;

limited("in the host's PID namespace nothing outlives the program", async ({ bench }) => {
  const cell = await bench.launch({ namespaces: ["mount", "net", "ipc", "uts", "cgroup"] });
  const seen = await cell.attach();
  await cell.monitor.go(shell("sleep 4321 & echo $!; exit 0"));
  await cell.monitor.exited;
  await seen.session.exited;
  cell.monitor.close();
  const pid = Number(seen.text().stdout);
  assert.ok(pid > 1);
  assert.not(existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("4321"));
});

/** The same file of another container's cgroup. */
function rename(path: string, cgroups: readonly string[]): string {
  const parent = dirname(dirname(path));
  return join(cgroups.find((other) => dirname(other) === parent) ?? "", basename(path));
}

/** What limits memory, without swap, in a cgroup of v1 or v2. */
function memoryLimit(cgroups: readonly string[], bytes: number): PrepareOp[] {
  const value = String(bytes);
  const v1 = cgroups.find((path) => existsSync(join(path, "memory.limit_in_bytes")));
  if (v1 !== undefined) {
    return [
      { op: "write", path: join(v1, "memory.limit_in_bytes"), value, optional: false },
      { op: "write", path: join(v1, "memory.memsw.limit_in_bytes"), value, optional: true },
    ];
  }
  return [
    { op: "write", path: join(cgroups[0] ?? "", "memory.max"), value, optional: false },
    { op: "write", path: join(cgroups[0] ?? "", "memory.swap.max"), value: "0", optional: true },
  ];
}

limited("running out of memory is told at once and in the record", async ({ bench }) => {
  // The first container's cgroups show which files there are.
  const first = await bench.launch();
  const limits = memoryLimit(bench.cgroupPaths(first.name), 8 << 20);
  const cell = await bench.launch({
    before: (cgroups) =>
      limits.map((op) => ({ ...op, path: op.op === "write" ? rename(op.path, cgroups) : "" }) as PrepareOp),
  });
  await first.kill();
  cell.monitor.close();
  let told = 0;
  const { Monitor } = await import("../../../engine/native/monitor.ts");
  const monitor = await Monitor.open(cell.runDir, { onOom: () => told++ });
  await monitor.go(shell("x=a; while true; do x=$x$x; done"));
  const exit = await monitor.exited;
  assert.equal([exit?.signal, exit?.oom], [9, true]);
  assert.ok(told > 0);
  monitor.close();
});

limited("cgroups that the container made below its own go with it", async ({ bench }) => {
  const cell = await bench.launch({ namespaces: ["mount", "net", "ipc", "uts", "pid"] });
  const paths = bench.cgroupPaths(cell.name).filter((path) => existsSync(path));
  assert.ok(paths.length > 0);
  await cell.monitor.go(shell("exec sleep 100"));
  for (const path of paths) {
    mkdirSync(join(path, "a/b"), { recursive: true });
    if (path.includes("/pids/")) writeFileSync(join(path, "a/b/cgroup.procs"), String(cell.launched.pid));
  }
  await cell.kill();
  assert.equal(
    paths.filter((path) => existsSync(path)),
    [],
  );
});

const unified = hierarchies().find((root) => existsSync(join(root, "cgroup.subtree_control")));
const handsOn =
  unified !== undefined && readFileSync(join(unified, "cgroup.controllers"), "utf8").includes("pids");

(handsOn ? options : skipped)(
  "exec follows a container that hands its controllers on, as systemd does",
  async ({ bench }) => {
    const cell = await bench.launch();
    await cell.monitor.go(shell("exec sleep 1000"));
    const [path = ""] = bench.cgroupPaths(cell.name);
    mkdirSync(join(path, "init.scope"));
    writeFileSync(join(path, "init.scope/cgroup.procs"), String(cell.launched.pid));
    writeFileSync(join(path, "cgroup.subtree_control"), "+pids");
    assert.equal(await cell.exec("cat /proc/self/cgroup"), {
      code: 0,
      stdout: "0::/init.scope\n",
      stderr: "",
    });
    await cell.kill();
  },
);

/** Allows mknod of all, and /dev/null: r2 = type and access, r4 = major, r5 = minor of struct bpf_cgroup_dev_ctx. */
function onlyNull(): Uint8Array {
  const instructions = [
    [0x61, 0x12, 0, 0],
    [0x77, 0x02, 0, 16],
    [0xb7, 0x00, 0, 1],
    [0x15, 0x02, 6, 1],
    [0x61, 0x14, 4, 0],
    [0x61, 0x15, 8, 0],
    [0xb7, 0x00, 0, 0],
    [0x55, 0x04, 2, 1],
    [0x55, 0x05, 1, 3],
    [0xb7, 0x00, 0, 1],
    [0x95, 0x00, 0, 0],
  ] as const;
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, registers, offset, immediate], i) => {
    bytes.writeUInt8(code, i * 8);
    bytes.writeUInt8(registers, i * 8 + 1);
    bytes.writeInt16LE(offset, i * 8 + 2);
    bytes.writeInt32LE(immediate, i * 8 + 4);
  });
  return bytes;
}

options("devices of cgroup v2 are a filter", async ({ bench }) => {
  if (unified === undefined) return;
  const { stdout } = await bench.run("echo x > /dev/null && echo null; echo x 2>&1 > /dev/zero", {
    before: (cgroups) => {
      const path = cgroups.find((name) => name.startsWith(unified)) as string;
      return [{ op: "deviceFilter", path, program: onlyNull() }];
    },
  });
  assert.match(stdout, "null\n");
  assert.not.match(stdout, "zero\n");
});

options("follow tells of new lines and of rotation", async ({ bench }) => {
  const cell = await bench.launch({ log: { maxSize: 3000, maxFiles: 3 } });
  const news: boolean[] = [];
  const follow = await cell.monitor.follow((rotated) => news.push(rotated));
  await cell.monitor.go(
    shell(
      "for i in 1 2 3; do echo line $i; sleep 0.05; done; i=0; while [ $i -lt 100 ]; do echo number $i; i=$((i+1)); done",
    ),
  );
  await cell.monitor.exited;
  await follow.ended;
  assert.ok(news.length >= 4 && news.length < 60, `${news.length} news`);
  assert.is(news[0], false);
  assert.ok(news.includes(true));
  const files = readdirSync(cell.directory).filter((name) => name.startsWith("log.json"));
  assert.equal(files.sort(), ["log.json", "log.json.1", "log.json.2"]);
  assert.ok(statSync(`${cell.log}.1`).size < 3200);
  cell.monitor.close();
});

options(
  "an attached client that does not read holds the program up, and loses nothing",
  async ({ bench }) => {
    const cell = await bench.launch();
    let received = 0;
    let open = false;
    const session = await cell.monitor.attach(
      { stdin: false, stdout: true, stderr: false },
      {
        data(_stream, chunk) {
          received += chunk.length;
          return open;
        },
      },
    );
    await cell.monitor.go(shell("head -c 3000000 /dev/zero | tr '\\0' x; echo done >&2"));
    await sleep(400);
    assert.ok(received < 2_000_000);
    assert.ok(statSync(cell.log).size < 2_500_000);
    open = true;
    session.resume();
    await session.exited;
    assert.is(received, 3_000_000);
    await cell.monitor.exited;
    cell.monitor.close();
  },
);

options.run();
