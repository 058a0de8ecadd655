/** Images and neighbours that mean harm: each test is one published fault, tried against a real container. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Sandbox } from "../../helpers/sandbox.ts";
import { makeTar, type TarEntry } from "../../helpers/tar.ts";
import { type Options, probe, runToEnd } from "./probe.ts";

const hostile = suite("engine/containers: hostile images and neighbours");
let sandbox: Sandbox;
/** A directory of the host that nothing may write to, with a file that nothing may read. */
let outside: string;
hostile.before(async () => {
  sandbox = await Sandbox.open();
  outside = join(sandbox.directory, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "canary"), "untouched");
});
hostile.after(() => sandbox?.close());
hostile.after.each(() => {
  assert.is(readFileSync(join(outside, "canary"), "utf8"), "untouched");
});

/** An image of busybox and these entries, without the usual directories. */
async function image(name: string, entries: readonly TarEntry[]): Promise<string> {
  const applets = [
    "sh",
    "ls",
    "cat",
    "id",
    "stat",
    "mount",
    "grep",
    "readlink",
    "echo",
    "mkfifo",
    "pwd",
    "touch",
  ];
  const tar = makeTar([
    { path: "bin/" },
    { path: "bin/busybox", content: readFileSync("/bin/busybox"), mode: 0o755 },
    ...applets.map((applet) => ({ path: `bin/${applet}`, link: "busybox" })),
    ...entries,
  ]);
  await sandbox.client.importImage(tar, { reference: `${name}:1` });
  return `${name}:1`;
}

/** Runs it, and gives its output or the reason why it did not start. */
async function attempt(options: Options): Promise<string> {
  return runToEnd(sandbox.client, options).then(
    ({ output }) => output.trim(),
    (error: Error) => `refused: ${error.message}`,
  );
}

for (const name of ["proc", "sys", "dev", "etc"]) {
  hostile(`/${name} is a link out of the image (CVE-2019-16884, CVE-2026-41579)`, async () => {
    const Image = await image(
      `link-${name}`,
      [
        { path: name, link: outside },
        { path: "etc/", mode: 0o755 },
      ].filter(({ path }) => path !== `${name}/`),
    );
    const seen = await attempt({
      Image,
      Cmd: [
        "sh",
        "-c",
        "grep -c -E '^proc /proc proc' /proc/mounts; stat -c %t:%T /dev/null; ls -d /sys/kernel",
      ],
    });
    // Resolved inside the root, or refused: either way the kernel's own file systems are where they must be.
    if (!seen.startsWith("refused")) assert.match(seen, name === "proc" ? /\S/ : /1:3/);
    assert.equal(existsSync(join(outside, "null")), false);
  });
}

hostile("/etc/passwd is a FIFO: nobody waits for a writer", async () => {
  const { Id } = await sandbox.client.createContainer({
    Image: "busybox",
    Cmd: ["sh", "-c", "rm /etc/passwd /etc/group; mkfifo /etc/passwd /etc/group"],
  });
  await sandbox.client.startContainer(Id);
  await sandbox.client.waitContainer(Id);
  await sandbox.client.commitContainer(Id, { repo: "fifo", tag: "1" });
  await sandbox.client.removeContainer(Id);
  assert.is(await attempt({ Image: "fifo:1", Cmd: ["sh", "-c", "echo $HOME"] }), "/");
  assert.match(await attempt({ Image: "fifo:1", User: "app", Cmd: ["id"] }), "unable to find user app");
});

hostile("a user of digits is a number, also where that is somebody's name (CVE-2026-46680)", async () => {
  const Image = await image("digits", [
    { path: "etc/" },
    { path: "etc/passwd", content: "1000:x:0:0::/root:/bin/sh\n" },
  ]);
  assert.match(await attempt({ Image, User: "1000", Cmd: ["id"] }), "uid=1000 gid=0");
});

for (const WorkingDir of ["/proc/self/fd/7", "/proc/self/fd/3/../../..", "/proc/1/root/../.."]) {
  hostile(`WORKDIR ${WorkingDir} leads nowhere (CVE-2024-21626)`, async () => {
    const seen = await attempt({
      WorkingDir,
      Cmd: ["sh", "-c", `ls ../../../..${outside} 2>&1; ls ${outside}`],
    });
    assert.not.match(seen, "canary");
  });
}

hostile("a program that is the runtime's own executable cannot be written (CVE-2019-5736)", async () => {
  const Image = await image("self", [
    { path: "run", content: "#!/proc/self/exe\n", mode: 0o755 },
    { path: "me", link: "/proc/self/exe" },
  ]);
  const native =
    process.env["SLIPWAY_NATIVE"] ?? join(import.meta.dirname, "../../../dist/native/slipway-native");
  const before = readFileSync(native);
  for (const Cmd of [["/run"], ["/me"]]) await attempt({ Image, Cmd });
  const { Id } = await sandbox.client.createContainer({ Image: "busybox", Cmd: ["sleep", "100"] });
  await sandbox.client.startContainer(Id);
  const watcher =
    "for i in $(seq 300); do for e in /proc/[0-9]*/exe; do echo pwned 2>/dev/null >$e; done; done";
  const exec = await sandbox.client.createExec(Id, { Cmd: ["sh", "-c", watcher], AttachStdout: true });
  await sandbox.client.startExecDetached(exec);
  for (let round = 0; round < 10; round++) {
    const victim = await sandbox.client.createExec(Id, { Cmd: ["/proc/self/exe"], AttachStdout: true });
    await sandbox.client.startExecDetached(victim).catch(() => {});
  }
  await sandbox.client.removeContainer(Id, { force: true });
  assert.ok(before.equals(readFileSync(native)));
});

hostile("no descriptor or environment of the engine is in a container (CVE-2024-21626)", async () => {
  const seen = await probe(sandbox.client, {
    files: "ls -l /proc/1/fd | grep -v -E 'pipe|null|total'",
    environment: "tr '\\0' '\\n' </proc/1/environ | cut -d= -f1 | sort | xargs",
  });
  assert.equal(seen, { files: "", environment: "HOME HOSTNAME PATH" });
});

hostile("namespaces and mounts of its own are refused to a container", async () => {
  const seen = await probe(sandbox.client, {
    unshare: "unshare -n true 2>&1 | grep -c 'not permitted'",
    mount: "mount -t tmpfs none /tmp 2>&1 | grep -c -E 'denied|not permitted'",
    chroot: "chroot / true && echo allowed",
  });
  assert.equal(seen, { unshare: "1", mount: "1", chroot: "allowed" });
});

hostile(
  "release_agent, core_pattern and sysrq cannot be written (CVE-2022-0492, CVE-2025-52881)",
  async () => {
    const { seen } = await probe(sandbox.client, {
      seen: "for f in /sys/fs/cgroup/*/release_agent /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/kernel/hostname; do echo x 2>/dev/null >$f && echo wrote $f; done; true",
    });
    assert.is(seen, "");
  },
);

hostile("a mask cannot be taken off from inside", async () => {
  const { seen } = await probe(sandbox.client, { seen: "umount /proc/keys 2>&1; cat /proc/keys | wc -c" });
  assert.match(seen, /(not permitted|denied)[\s\S]*0$/);
});

for (const [what, options, message] of [
  ["a CPU list without end (CVE-2018-20699)", { HostConfig: { CpusetCpus: "0-9999999999" } }, "cpuset"],
  ["a cgroup parent that leads out", { HostConfig: { CgroupParent: "../../escape" } }, "CgroupParent"],
  ["a volume name that is a path", { HostConfig: { Binds: ["../../etc:/x"] } }, "invalid"],
  ["a mount over the root", { HostConfig: { Binds: ["/tmp:/"] } }, "can't be '/'"],
  ["an unknown capability", { HostConfig: { CapAdd: ["NONSENSE"] } }, "unknown capability"],
  ["an unknown security option", { HostConfig: { SecurityOpt: ["nonsense=1"] } }, "security-opt"],
] as const) {
  hostile(`${what} is refused`, async () => {
    const error = await sandbox.client
      .createContainer({ Image: "busybox", Cmd: ["true"], ...(options as object) })
      .then(
        () => new Error("accepted"),
        (reason: Error) => reason,
      );
    assert.match(error.message, message);
  });
}

hostile("cp follows links inside the container alone, in both directions (CVE-2018-15664)", async () => {
  const { client } = sandbox;
  const { Id } = await client.createContainer({
    Image: "busybox",
    Cmd: ["sh", "-c", `ln -s ${outside} /link; ln -s /etc /var/etc; sleep 100`],
  });
  await client.startContainer(Id);
  await new Promise((resolve) => setTimeout(resolve, 200));
  try {
    for (const running of [true, false]) {
      if (!running) await client.stopContainer(Id, { timeout: 0 });
      const out = await client.getArchive(Id, "/link/canary").then(
        () => "read",
        (error: Error) => error.message,
      );
      assert.match(out, "Could not find the file");
      const tar = makeTar([{ path: "canary", content: "overwritten" }]);
      await client.putArchive(Id, "/link", tar).catch(() => {});
      // A link that stays inside still works.
      await client.putArchive(Id, "/var/etc", makeTar([{ path: `in-${running}`, content: "x" }]));
      assert.is((await client.statPath(Id, `/etc/in-${running}`)).size, 1);
    }
  } finally {
    await client.removeContainer(Id, { force: true });
  }
});

hostile("an archive cannot leave the directory that it is unpacked in", async () => {
  const { client } = sandbox;
  const { Id } = await client.createContainer({ Image: "busybox", Cmd: ["true"] });
  try {
    for (const entries of [
      [{ path: `../../../../../../../..${outside}/canary`, content: "overwritten" }],
      [
        { path: "l", link: outside },
        { path: "l/canary", content: "overwritten" },
      ],
      [{ path: `${outside}/canary`, content: "overwritten" }],
    ]) {
      await client.putArchive(Id, "/tmp", Readable.from([makeTar(entries)])).catch(() => {});
    }
  } finally {
    await client.removeContainer(Id, { force: true });
  }
});

hostile("a neighbour that swaps a directory for a link does not move a mount (CVE-2021-30465)", async () => {
  const { client } = sandbox;
  const swapper = await client.createContainer({
    Image: "busybox",
    Cmd: [
      "sh",
      "-c",
      `mkdir /v/d; while true; do mv /v/d /v/e; ln -s ${outside} /v/d; rm /v/d; mv /v/e /v/d; done`,
    ],
    HostConfig: { Binds: ["swapped:/v"] },
  });
  await client.startContainer(swapper.Id);
  const marker = join(sandbox.directory, "mounted");
  mkdirSync(marker);
  writeFileSync(join(marker, "inside"), "");
  try {
    for (let round = 0; round < 20; round++) {
      const seen = await attempt({
        Cmd: ["sh", "-c", "ls /v/d /v/e 2>/dev/null"],
        HostConfig: { Binds: ["swapped:/v", `${marker}:/v/d/x`] },
      });
      assert.not.match(seen, "canary");
      assert.is(existsSync(join(outside, "x")), false);
    }
  } finally {
    await client.removeContainer(swapper.Id, { force: true });
    await client.removeVolume("swapped");
    rmSync(marker, { recursive: true });
  }
});

hostile("top shows the machine's own view, and runs nothing of the container (CVE-2022-1227)", async () => {
  const { client } = sandbox;
  const { Id } = await client.createContainer({
    Image: "busybox",
    Cmd: [
      "sh",
      "-c",
      "echo '#!/bin/sh' >/bin/ps2; rm /bin/ps; echo evil >/bin/ps; chmod +x /bin/ps; sleep 100",
    ],
  });
  await client.startContainer(Id);
  try {
    const { Titles, Processes } = await client.topContainer(Id);
    assert.is(Titles[0], "UID");
    assert.ok(Processes.every((row) => row.length === Titles.length && !row.join(" ").includes("evil")));
  } finally {
    await client.removeContainer(Id, { force: true });
  }
});

hostile.run();
