/** What images and neighbours have tried elsewhere. Each test names the published fault that it repeats. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { NativeError } from "../../../engine/native/connection.ts";
import type { PrepareOp, ProcessOp } from "../../../engine/native/protocol.ts";
import { Bench, program, shell, standardMounts } from "./cell.ts";

interface Context {
  bench: Bench;
}

const hostile = suite<Context>("native/hostile");
hostile.before(async (context) => {
  context.bench = await Bench.open();
});
hostile.after(async ({ bench }) => bench[Symbol.asyncDispose]());

let layers = 0;

/** A layer over the busybox image, made by a shell script. */
function layer(bench: Bench, script: string): string {
  const path = join(bench.directory, `layer${layers++}`);
  mkdirSync(path);
  execFileSync("/bin/sh", ["-ec", script], { cwd: path });
  return path;
}

async function failure(work: Promise<unknown>): Promise<NativeError> {
  return work.then(
    () => {
      throw new Error("it was expected to fail");
    },
    (error) => error,
  );
}

/** Mounts of this process that have to do with the test; others come and go on the machine. */
function ownMounts(bench: Bench): string[] {
  const lines = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return lines.filter((line) => line.includes(bench.directory) || line.includes("canary"));
}

const bind = (source: string, target: string): PrepareOp => ({
  op: "bind",
  source,
  target,
  recursive: true,
  flags: 0,
  propagation: "rprivate",
});

for (const name of ["proc", "sys"]) {
  hostile(`an image whose /${name} is a link is refused (CVE-2019-19921)`, async ({ bench }) => {
    const lowers = [layer(bench, `mkdir elsewhere; ln -s elsewhere ${name}`)];
    assert.match((await failure(bench.launch({ lowers }))).message, "plain directory");
  });
}

hostile("an image whose /dev is a link out gets its devices inside (CVE-2026-41579)", async ({ bench }) => {
  const outside = join(bench.directory, "outside");
  mkdirSync(outside);
  const lowers = [layer(bench, `ln -s ${outside} dev`)];
  const { stdout } = await bench.run(`ls ${outside}`, { lowers });
  assert.match(stdout, "null");
  assert.equal(readdirSync(outside), []);
});

hostile("a mount point that is a link out is made inside", async ({ bench }) => {
  const outside = join(bench.directory, "canary");
  const source = join(bench.directory, "source");
  mkdirSync(outside);
  mkdirSync(source);
  writeFileSync(join(source, "file"), "inside\n");
  const lowers = [
    layer(bench, `ln -s ${outside} a; ln -s ../../../../..${outside} b; mkdir c; ln -s /no/such/place c/d`),
  ];
  const { stdout } = await bench.run("cat /a/x/file /b/y/file /c/d/file /no/such/place/file", {
    lowers,
    ops: [bind(source, "/a/x"), bind(source, "/b/y"), bind(source, "/c/d")],
  });
  assert.is(stdout, "inside\n".repeat(4));
  assert.equal(readdirSync(outside), []);
});

hostile("a file's mount point that is a dangling link is made where it points, inside", async ({ bench }) => {
  const source = join(bench.directory, "resolv.conf");
  writeFileSync(source, "nameserver\n");
  const lowers = [
    layer(
      bench,
      "mkdir etc; ln -s ../run/systemd/stub.conf etc/resolv.conf; ln -s /loop2 loop1; ln -s /loop1 loop2",
    ),
  ];
  const { stdout } = await bench.run("cat /etc/resolv.conf /run/systemd/stub.conf", {
    lowers,
    ops: [bind(source, "/etc/resolv.conf")],
  });
  assert.is(stdout, "nameserver\nnameserver\n");
  const loop = await failure(bench.launch({ lowers, ops: [bind(source, "/loop1")] }));
  assert.is(loop.code, "ELOOP", loop.message);
});

hostile("a FIFO as /etc/passwd does not hold up the start", async ({ bench }) => {
  const lowers = [layer(bench, "mkdir etc; mkfifo etc/passwd; mknod etc/group c 1 5 || mkfifo etc/group")];
  const cell = await bench.launch({
    lowers,
    ops: [
      { op: "readFile", path: "/etc/passwd", limit: 1000 },
      { op: "readFile", path: "/etc/group", limit: 1000 },
      { op: "readFile", path: "/proc/self/fd/0", limit: 1000 },
    ],
  });
  assert.equal([...cell.launched.files], [undefined, undefined, undefined]);
  await cell.kill();
});

hostile("a working directory below /proc/self/fd is refused (CVE-2024-21626)", async ({ bench }) => {
  for (let fd = 3; fd < 40; fd++) {
    const cell = await bench.launch();
    const ops: ProcessOp[] = [...shell("pwd -P; ls ../../../.."), { op: "cwd", path: `/proc/self/fd/${fd}` }];
    const error = await failure(cell.monitor.go(ops));
    assert.ok(["ENOENT", "ENOTDIR", "EACCES"].includes(error.code), `${fd}: ${error.message}`);
    await cell.monitor.exited;
    cell.monitor.close();
  }
});

hostile(
  "the program has descriptors 0 to 2, no ignored or blocked signal, no environment but its own",
  async ({ bench }) => {
    const files = ["/proc/self/status", "/proc/self/environ", "/proc/self/limits"];
    const cell = await bench.launch();
    const seen = await cell.attach();
    await cell.monitor.go(
      shell("").map((op): ProcessOp => (op.op === "argv" ? { op: "argv", list: ["cat", ...files] } : op)),
    );
    await seen.session.exited;
    cell.monitor.close();
    assert.match(seen.text().stdout, /^SigBlk:\t0+\nSigIgn:\t0+\n/m);
    assert.match(seen.text().stdout, /^PATH=\/bin\0HOME=\/root\0Limit/m);
    assert.is((await bench.run("ls /proc/$$/fd; true")).stdout, "0\n1\n2\n");
  },
);

hostile(
  "exec leaves nothing of the engine's in reach of the container's root (CVE-2016-9962)",
  async ({ bench }) => {
    const cell = await bench.launch();
    const seen = await cell.attach();
    await cell.monitor.go(
      shell(
        "while true; do for p in /proc/[0-9]*; do case $(readlink $p/exe) in *slipway*) echo exe $p;; esac; cat $p/environ 2>/dev/null | tr '\\0' '\\n' | grep -vE '^(PATH|HOME|PWD|SHLVL|OLDPWD|_)=|^$'; ls -l $p/fd 2>/dev/null | grep -E 'sock|anon_inode|ns:|cgroup'; done; done",
      ),
    );
    const until = Date.now() + 1800;
    let execs = 0;
    while (Date.now() < until) {
      assert.is((await cell.exec(":")).code, 0);
      execs++;
    }
    await cell.kill();
    assert.is(seen.text().stdout, "");
    assert.ok(execs > 5);
  },
);

hostile("process 1 of ours has nothing of the engine's environment", async ({ bench }) => {
  const cell = await bench.launch();
  await cell.monitor.go(shell("exec sleep 100", [{ op: "init" }]));
  assert.is(readFileSync(`/proc/${cell.launched.pid}/environ`, "utf8"), "");
  assert.is(readFileSync(`/proc/${cell.launched.monitorPid}/environ`, "utf8"), "");
  assert.equal(readdirSync(`/proc/${cell.launched.pid}/fd`), []);
  await cell.kill();
});

hostile("the native program cannot be written through /proc/PID/exe (CVE-2019-5736)", async ({ bench }) => {
  const before = statSync(program);
  const lowers = [
    layer(
      bench,
      "mkdir -p entry; printf '#!/proc/self/exe\\n' > entry/a; chmod 755 entry/a; ln -s /proc/self/exe entry/b",
    ),
  ];
  const cell = await bench.launch({ lowers });
  await cell.monitor.go(
    shell(
      "trap '' TERM; while true; do for p in /proc/[0-9]*; do (echo x > $p/exe) 2>/dev/null && echo wrote $p; done; done",
      [{ op: "init" }],
    ),
  );
  for (const file of ["/entry/a", "/entry/b"]) {
    const ops = shell("").map((op): ProcessOp => (op.op === "argv" ? { op: "argv", list: [file] } : op));
    const session = await cell.monitor.exec(ops, { data: () => true }).catch(() => undefined);
    await session?.exited;
  }
  const init = await cell.exec("echo x > /proc/1/exe");
  assert.match(init.stderr, /Read-only|denied|busy/);
  await cell.kill();
  const after = statSync(program);
  assert.equal([after.size, after.mtimeMs, after.ino], [before.size, before.mtimeMs, before.ino]);
});

hostile("/proc is masked and read-only where Docker's is", async ({ bench }) => {
  const { stdout } = await bench.run(
    [
      "cat /proc/interrupts | wc -c; cat /proc/keys | wc -c; ls /sys/firmware | wc -l",
      "stat -c %t:%T /proc/keys",
      "for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/uevent_helper; do (echo x > $f) 2>&1; done | grep -c Read-only",
      "umount /proc/keys 2>&1; mount -o remount,rw /proc/sys 2>&1; mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem 2>&1",
    ].join("; "),
  );
  assert.match(stdout, /^0\n0\n0\n1:3\n/);
  assert.match(stdout, "umount: can't unmount /proc/keys");
});

hostile("a mask is the machine's null device, which a container cannot change", async ({ bench }) => {
  const before = statSync("/dev/null");
  const script =
    "for c in 'chmod 600' 'chown 1:1' 'touch -d @0'; do $c /proc/keys 2>&1; done; echo x > /proc/keys; cat /proc/keys";
  const { stdout, stderr } = await bench.run(script);
  assert.match(stdout, /^(.*Read-only file system\n){3}$/);
  assert.is(stderr, "");
  const after = statSync("/dev/null");
  assert.equal([after.mode, after.uid], [before.mode, before.uid]);
});

hostile(
  "a sysctl goes to the kernel, not to a file that lies over it (CVE-2025-52881)",
  async ({ bench }) => {
    const fake = join(bench.directory, "fake");
    mkdirSync(fake);
    writeFileSync(join(fake, "msgmax"), "");
    const { stdout } = await bench.run("cat /proc/sys/kernel/shm_rmid_forced", {
      ops: [bind(fake, "/proc/sys/kernel"), { op: "sysctl", path: "kernel/msgmax", value: "12345" }],
      mounts: standardMounts,
    });
    assert.is(stdout, "");
    assert.is(readFileSync(join(fake, "msgmax"), "utf8"), "");
    const error = await failure(
      bench.launch({ ops: [{ op: "sysctl", path: "../self/oom_score_adj", value: "5" }] }),
    );
    assert.is(error.code, "EXDEV");
  },
);

hostile("a /dev/null of the image's making is not what masks bind (CVE-2025-31133)", async ({ bench }) => {
  const dev = join(bench.directory, "dev");
  mkdirSync(join(dev, "pts"), { recursive: true });
  symlinkSync("/proc/sys/kernel/core_pattern", join(dev, "null"));
  const mounts = standardMounts.filter(
    (op) => !("target" in op && op.target === "/dev") && !(op.op === "node" && op.path === "/dev/null"),
  );
  const { stdout } = await bench.run("stat -c %t:%T /proc/keys", { mounts: [bind(dev, "/dev"), ...mounts] });
  assert.is(stdout, "1:3\n");
});

hostile("a fake devpts gives no terminal (CVE-2025-52565)", async ({ bench }) => {
  const pts = join(bench.directory, "pts");
  mkdirSync(pts);
  writeFileSync(join(pts, "ptmx"), "");
  const error = await failure(bench.launch({ tty: true, ops: [bind(pts, "/dev/pts")] }));
  assert.match(error.message, "devpts");
});

hostile("mounts of a container show nowhere else, and the engine's end with the start", async ({ bench }) => {
  const before = ownMounts(bench);
  const cell = await bench.launch();
  await cell.monitor.go(shell("exec sleep 100"));
  assert.equal(ownMounts(bench), before);
  const inside = await cell.exec(
    "cut -d' ' -f1-7 /proc/self/mountinfo; cut -d' ' -f5,7 /proc/self/mountinfo | grep -E 'shared|master' | wc -l",
  );
  assert.not.match(inside.stdout, bench.directory);
  assert.match(inside.stdout, /\n0\n$/);
  await cell.kill();
});

hostile(
  "a neighbour that swaps a directory for a link does not move a mount out (CVE-2021-30465)",
  async ({ bench }) => {
    const volume = join(bench.directory, "volume");
    const inner = join(bench.directory, "inner");
    const canary = "/run/slw-race-canary";
    mkdirSync(join(volume, "d"), { recursive: true });
    mkdirSync(inner);
    const cell = await bench.launch({ ops: [bind(volume, "/v")] });
    await cell.monitor.go(shell("cd /v; while true; do mv d e; ln -s / d; rm d; mv e d; done"));
    const before = ownMounts(bench);
    let made = 0;
    for (let i = 0; i < 60; i++) {
      const other = await bench
        .launch({ ops: [bind(volume, "/w"), bind(inner, `/w/d${canary}`)] })
        .catch(() => undefined);
      if (!other) continue;
      made++;
      await other.kill();
    }
    await cell.kill();
    assert.not(existsSync(canary));
    assert.equal(ownMounts(bench), before);
    assert.ok(made > 0);
  },
);

hostile(
  "a file operation replaces a link instead of writing through it (CVE-2025-9566)",
  async ({ bench }) => {
    const victim = join(bench.directory, "victim");
    writeFileSync(victim, "host\n");
    const lowers = [
      layer(
        bench,
        `mkdir -p run/secrets; ln -s ${victim} run/secrets/token; ln -s /etc/passwd run/secrets/other`,
      ),
    ];
    const { stdout } = await bench.run(
      "cat /run/secrets/token /etc/passwd | head -2; stat -c '%a %u' /run/secrets/token",
      {
        lowers,
        ops: ["token", "other"].map((name) => ({
          op: "file",
          path: `/run/secrets/${name}`,
          mode: 0o400,
          uid: 7,
          gid: 0,
          content: Buffer.from("secret\n"),
        })),
      },
    );
    assert.is(stdout, "secret\nroot:x:0:0:root:/root:/bin/sh\n400 7\n");
    assert.is(readFileSync(victim, "utf8"), "host\n");
  },
);

hostile("a cgroup path with .. is refused", async ({ bench }) => {
  const error = await failure(
    bench.launch({ before: () => [{ op: "cgroup", path: "/sys/fs/cgroup/memory/../pids/x" }] }),
  );
  assert.is(error.code, "EINVAL");
  assert.not(existsSync("/sys/fs/cgroup/pids/x"));
});

hostile("a request that is no request is answered, and the spawner goes on", async ({ bench }) => {
  for (const bytes of [
    Buffer.from([255, 255, 255, 255, 1]),
    Buffer.from([3, 0, 0, 0, 1, 2, 3]),
    Buffer.from([4, 0, 0, 0, 1, 99, 0, 0]),
  ]) {
    const socket = await bench.spawner.connect(bytes);
    socket.on("error", () => undefined);
    socket.end();
    await new Promise((resolve) => socket.once("close", resolve).resume());
  }
  assert.is((await bench.run("echo still here")).stdout, "still here\n");
});

hostile.run();
