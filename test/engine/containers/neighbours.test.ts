/** More of what images and neighbours have tried elsewhere; each test names the published faults that it repeats. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EngineClient } from "../../../src/client/client.ts";
import { until } from "../../helpers/command.ts";
import { Sandbox } from "../../helpers/sandbox.ts";
import { makeTar } from "../../helpers/tar.ts";
import { type Options, runToEnd } from "./probe.ts";

const neighbours = suite("engine/containers: neighbours");
let sandbox: Sandbox;
let client: EngineClient;
neighbours.before(async () => {
  sandbox = await Sandbox.open();
  client = sandbox.client;
});
neighbours.after(() => sandbox?.close());

async function running(options: Options, work: (id: string) => Promise<void>): Promise<void> {
  const { Id } = await client.createContainer({ Image: "busybox", Cmd: ["sleep", "100"], ...options });
  try {
    await client.startContainer(Id);
    await work(Id);
  } finally {
    await client.removeContainer(Id, { force: true, volumes: true });
  }
}

async function execute(id: string, options: readonly string[], script: string): Promise<string> {
  const { stdout, stderr } = await sandbox.docker(["exec", ...options, id, "sh", "-c", script]);
  return (stdout + stderr).trim();
}

/** Makes an image of what a script does to busybox. */
async function image(name: string, script: string): Promise<string> {
  const { Id } = await client.createContainer({ Image: "busybox", Cmd: ["sh", "-ec", script] });
  await client.startContainer(Id);
  assert.is((await client.waitContainer(Id)).StatusCode, 0);
  await client.commitContainer(Id, { repo: name, tag: "1" });
  await client.removeContainer(Id);
  return `${name}:1`;
}

neighbours("nothing is mounted over /proc or inside it (CVE-2015-3631, CVE-2019-16884)", async () => {
  for (const target of ["/proc", "/proc/sys", "/proc/1/root", "/proc/sys/kernel/hostname", "/proc/../proc"]) {
    for (const HostConfig of [{ Binds: [`some:${target}`] }, { Tmpfs: { [target]: "" } }]) {
      const error = await client.createContainer({ Image: "busybox", Cmd: ["true"], HostConfig }).then(
        () => "accepted",
        (reason: Error) => reason.message,
      );
      assert.match(error, "because it is inside /proc", target);
    }
  }
});

neighbours("exec -u: a number is that user, without capabilities (CVE-2016-8867, CVE-2026-30892)", () =>
  running({ HostConfig: { CapAdd: ["NET_ADMIN"] } }, async (id) => {
    const status = "id -u; grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status | cut -f2 | sort -u";
    assert.is(await execute(id, ["-u", "1"], status), "1\n0000000000000000");
    // What is inherited is empty for root, too (CVE-2022-24769).
    assert.is(
      await execute(id, [], "grep -E 'Cap(Inh|Amb)' /proc/self/status | cut -f2 | sort -u"),
      "0".repeat(16),
    );
  }),
);

neighbours("the native program loads nothing, so nothing of a container's (CVE-2019-14271)", () => {
  const path =
    process.env["SLIPWAY_NATIVE"] ?? join(import.meta.dirname, "../../../dist/native/slipway-native");
  const elf = readFileSync(path);
  const [table, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  const types = Array.from({ length: count }, (_, index) => elf.readUInt32LE(table + index * size));
  assert.not.ok(types.includes(3), "PT_INTERP: it asks for a dynamic loader");
});

neighbours(
  "an image's LD_PRELOAD reaches its own programs alone (CVE-2025-23266, CVE-2024-0132)",
  async () => {
    const Env = ["LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/evil", "NODE_OPTIONS=--require=/evil.js"];
    const Healthcheck = { Test: ["CMD", "true"], Interval: 1e8 };
    await running({ Env, Healthcheck, HostConfig: { Init: true } }, async (id) => {
      const health = async () => (await client.inspectContainer(id)).State.Health?.Status;
      await until("it is healthy", async () => (await health()) === "healthy", 5000);
      const { Pid } = (await client.inspectContainer(id)).State;
      // Process 1 is our own program here, and nothing of the image's is in its surroundings.
      assert.not.match(readFileSync(`/proc/${Pid}/environ`, "latin1"), "evil");
    });
  },
);

neighbours("sockets of the engine have paths, closed to others (CVE-2020-15257, CVE-2025-9074)", async () => {
  await running({ HostConfig: { NetworkMode: "host" } }, async (id) => {
    assert.is(await execute(id, [], "grep -c '@' /proc/net/unix; true"), "0");
    assert.is(await execute(id, [], "cat /proc/net/tcp | grep -c ' 0A '; true"), "0", "nothing listens");
    const own = join(sandbox.execRoot, "containers", id);
    assert.is(statSync(own).mode & 0o777, 0o700);
    assert.is(statSync(join(own, "monitor.sock")).mode & 0o777, 0o600);
    assert.is(statSync(join(sandbox.execRoot, "spawner.sock")).mode & 0o777, 0o600);
    assert.is(statSync(sandbox.socket).mode & 0o007, 0, "the API");
  });
});

neighbours("users of the machine cannot enter the data root (CVE-2021-41091, CVE-2024-25621)", () => {
  assert.is(statSync(sandbox.dataRoot).mode & 0o007, 0);
  for (const name of readdirSync(sandbox.dataRoot)) {
    const info = lstatSync(join(sandbox.dataRoot, name));
    // The lock is a link that leads nowhere; links have no modes.
    const mode = info.isSymbolicLink() ? 0 : info.mode;
    assert.is(mode & 0o022, 0, name);
  }
});

neighbours("router advertisements change no route of the machine (CVE-2020-13401)", () =>
  running({}, async () => {
    const settings = "cat /proc/sys/net/ipv6/conf/*/accept_ra 2>/dev/null; ls /proc/sys/net/ipv6/conf";
    const links = (await sandbox.inside(["sh", "-c", "ls /sys/class/net"])).stdout;
    const { stdout } = await sandbox.inside([
      "sh",
      "-c",
      "for c in /proc/sys/net/ipv6/conf/*; do n=$(basename $c); [ -e /sys/class/net/$n ] && [ $n != lo ] && echo $n $(cat $c/accept_ra) $(cat $c/disable_ipv6); done; true",
    ]);
    const open = stdout.split("\n").filter((line) => / [12] 0$/.test(line));
    assert.equal(open, [], `${links}${settings}`);
  }),
);

neighbours(
  "user data bases are read up to a limit, and never through a link out (CVE-2023-25153, CVE-2024-9676)",
  async () => {
    const secret = join(sandbox.directory, "secret");
    writeFileSync(secret, "spy:x:4242:4242::/:/bin/sh\n");
    const linked = await image("linked", `rm /etc/passwd; ln -s ${secret} /etc/passwd`);
    const error = await runToEnd(client, { Image: linked, User: "spy", Cmd: ["id"] }).then(
      ({ output }) => output,
      (reason: Error) => reason.message,
    );
    assert.match(error, "unable to find user spy");
    // Sparse, so that it costs no disk: nobody may read it to its end.
    await running({ Cmd: ["sh", "-c", "truncate -s 8G /etc/passwd /etc/group; sleep 100"] }, async (id) => {
      const sizes = "stat -c %s /etc/passwd /etc/group | xargs";
      await until(
        "they are huge",
        async () => (await execute(id, [], sizes)) === "8589934592 8589934592",
        5000,
      );
      const before = residentOf(sandbox.pid);
      assert.match(await execute(id, ["-u", "spy"], "id"), "unable to find user spy");
      assert.match(await execute(id, ["-u", "5"], "grep Uid /proc/self/status"), /^Uid:\s5\s/);
      assert.ok(residentOf(sandbox.pid) < before + 100_000, `${before} → ${residentOf(sandbox.pid)} kB`);
    });
  },
);

const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

neighbours("cp, top, export and commit run no program of the container (GHSA-x86f-5xw2-fm2r)", async () => {
  const evil =
    "for p in xz gzip gunzip zstd tar ps sh2 unpigz chown; do printf '#!/bin/busybox sh\\ntouch /ran\\n' >/bin/$p.new; chmod +x /bin/$p.new; mv /bin/$p.new /bin/$p; done";
  await running({ Cmd: ["sh", "-c", `${evil}; sleep 100`] }, async (id) => {
    await until("it is ready", async () => (await execute(id, [], "cat /bin/chown")).includes("ran"), 5000);
    const tar = makeTar([{ path: "f", content: "x".repeat(1000) }]);
    for (const archive of [tar, gzipSync(tar)]) await client.putArchive(id, "/tmp", archive);
    const { tar: archive } = await client.getArchive(id, "/tmp/f");
    archive.resume();
    await client.topContainer(id);
    await sandbox.docker(["export", "-o", join(sandbox.directory, "export.tar"), id]);
    await client.commitContainer(id, { repo: "evil", tag: "1" });
    assert.match(await execute(id, [], "ls /ran"), "No such file");
  });
});

neighbours("labels are data (CVE-2026-53488)", async () => {
  const marker = join(sandbox.directory, "marker");
  const text = `$(touch ${marker}); \`touch ${marker}\`; {{.}}`;
  const Labels = { "org.test": text, [text]: "name", "io.containerd.runc.v2.hook": `touch ${marker}` };
  await running({ Labels }, async (id) => {
    assert.equal((await client.inspectContainer(id)).Config.Labels, Labels);
    assert.not.ok(readdirSync(sandbox.directory).includes("marker"));
  });
});

neighbours("an exec is in the container's cgroup and no other (crun 2026-07)", () =>
  running({ HostConfig: { CgroupnsMode: "host" } as object }, async (id) => {
    const groups = (await execute(id, [], "cut -d: -f3 /proc/self/cgroup | sort -u")).split("\n");
    for (const group of groups) assert.match(group, new RegExp(`(/${sandbox.cgroupParent}/${id}|^/)$`));
    assert.ok(groups.some((group) => group.endsWith(id)));
  }),
);

neighbours(
  "what a container's file is exchanged for on the host is not followed (CVE-2019-18466)",
  async () => {
    const outside = join(sandbox.directory, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "canary"), "secret");
    await running(
      {
        Cmd: [
          "sh",
          "-c",
          `mkdir /d; ln -s ${outside} /d/out; ln -s /proc/1/root/../..${outside} /d/up; sleep 100`,
        ],
      },
      async (id) => {
        await until("the links are there", async () => (await execute(id, [], "ls /d")).includes("up"), 5000);
        const { tar: archive } = await client.getArchive(id, "/d/.");
        const parts: Buffer[] = [];
        for await (const part of archive) parts.push(part as Buffer);
        assert.not.match(Buffer.concat(parts).toString("latin1"), "secret");
      },
    );
  },
);

neighbours.run();
