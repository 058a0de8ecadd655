/**
 * Races that neighbours have won elsewhere, and what a container that takes all it can does to others. SLIPWAY_RACES is
 * how often each is run; 200 is what a careful look takes.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EngineClient } from "../../../src/client/client.ts";
import { Sandbox } from "../../helpers/sandbox.ts";
import { makeTar } from "../../helpers/tar.ts";
import { runToEnd } from "./probe.ts";

const races = suite("engine/containers: races");
const ROUNDS = Number(process.env["SLIPWAY_RACES"] ?? 20);
let sandbox: Sandbox;
let client: EngineClient;
/** A directory of the host that nothing may write to, with a file that nothing may read. */
let outside: string;
races.before(async () => {
  sandbox = await Sandbox.open();
  client = sandbox.client;
  outside = join(sandbox.directory, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "canary"), "untouched");
});
races.after(() => sandbox?.close());
races.after.each(() => {
  assert.is(readFileSync(join(outside, "canary"), "utf8"), "untouched");
  assert.is(existsSync(join(outside, "x")), false);
});

/** A container that swaps `/v/d` for a link to `outside` and back, all the time. */
async function swapping(work: (id: string) => Promise<void>): Promise<void> {
  const swap = `mkdir -p /v/d/x; echo inside >/v/d/canary; while true; do mv /v/d /v/e; ln -s ${outside} /v/d; rm /v/d; mv /v/e /v/d; done`;
  const { Id } = await client.createContainer({
    Image: "busybox",
    Cmd: ["sh", "-c", swap],
    HostConfig: { Binds: ["swapped:/v"] },
  });
  await client.startContainer(Id);
  try {
    await work(Id);
  } finally {
    await client.removeContainer(Id, { force: true });
    await client.removeVolume("swapped");
  }
}

races(
  "a mount below a directory that is swapped lands in the container (CVE-2021-30465, CVE-2024-45310)",
  () =>
    swapping(async () => {
      const marker = join(sandbox.directory, "marker");
      mkdirSync(marker);
      for (let round = 0; round < ROUNDS; round++) {
        const seen = await runToEnd(client, {
          Cmd: ["sh", "-c", `ls ${outside} /v/d 2>/dev/null`],
          HostConfig: { Binds: ["swapped:/v", `${marker}:/v/d/x`] },
        }).then(
          ({ output }) => output,
          () => "refused",
        );
        assert.not.match(seen, "untouched");
      }
      rmSync(marker, { recursive: true });
    }),
);

races("cp in both directions stays inside (CVE-2018-15664, GHSA-rg2x-37c3-w2rh, CVE-2019-18466)", () =>
  swapping(async (id) => {
    const tar = makeTar([{ path: "canary", content: "overwritten" }]);
    for (let round = 0; round < ROUNDS; round++) {
      await client.putArchive(id, "/v/d", tar).catch(() => {}); // There is no directory half of the time.
      const read = await client.getArchive(id, "/v/d/canary").catch(() => undefined);
      const parts: Buffer[] = [];
      // What goes away while it is packed ends the archive.
      await (async () => {
        for await (const part of read?.tar ?? []) parts.push(part as Buffer);
      })().catch(() => {});
      assert.not.match(Buffer.concat(parts).toString("latin1"), "untouched");
    }
  }),
);

races(
  "programs that watch /proc while others are run see nothing of the engine (CVE-2016-9962)",
  async () => {
    const watch = `while true; do for p in /proc/[0-9]*; do
    tr '\\0' '\\n' <$p/environ; readlink $p/exe $p/cwd $p/root; ls -l $p/fd; cat $p/cmdline; done; done 2>/dev/null |
    grep -E -m 1 '[s]lipway|[s]lw-|[S]LIPWAY' >/seen`;
    const { Id } = await client.createContainer({ Image: "busybox", Cmd: ["sh", "-c", watch] });
    await client.startContainer(Id);
    try {
      for (let round = 0; round < Math.ceil(ROUNDS / 4); round++) {
        await Promise.all(
          Array.from({ length: 10 }, async () => {
            const exec = await client.createExec(Id, { Cmd: ["true"], AttachStdout: true });
            await client.startExecDetached(exec);
          }),
        );
      }
      const seen = await sandbox.docker(["exec", Id, "cat", "/seen"]);
      assert.is(seen.stdout, "");
    } finally {
      await client.removeContainer(Id, { force: true });
    }
  },
);

races(
  "a fork bomb, a memory hog, a disk filler and a storm of logs leave the API answering within a second",
  async () => {
    const hogs = [
      { Cmd: ["sh", "-c", "f() { f | f & }; f; sleep 100"], HostConfig: { PidsLimit: 60, NanoCpus: 5e8 } },
      {
        Cmd: ["sh", "-c", "while true; do x=$(head -c 80000000 /dev/zero | tr '\\0' a); done"],
        HostConfig: { Memory: 32 << 20, NanoCpus: 5e8 },
      },
      {
        Cmd: ["sh", "-c", "while true; do cat /dev/zero >/full/f; rm /full/f; done 2>/dev/null"],
        HostConfig: { Tmpfs: { "/full": "size=64m" }, NanoCpus: 5e8 },
      },
      {
        Cmd: ["sh", "-c", "yes 'a line of a storm'"],
        HostConfig: {
          NanoCpus: 5e8,
          LogConfig: { Type: "local", Config: { "max-size": "4m", "max-file": "2" } },
        },
      },
    ];
    const ids: string[] = [];
    try {
      for (const hog of hogs) {
        const { Id } = await client.createContainer({ Image: "busybox", ...hog });
        ids.push(Id);
        await client.startContainer(Id);
      }
      const times: number[] = [];
      for (const begun = performance.now(); performance.now() - begun < 3000; ) {
        const before = performance.now();
        await client.listContainers({ all: true });
        await client.inspectContainer(ids[0] ?? "");
        times.push(performance.now() - before);
      }
      times.sort((a, b) => a - b);
      const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
      assert.ok(p99 < 1000, `${Math.round(p99)} ms of ${times.length}`);
      assert.is((await runToEnd(client, { Cmd: ["echo", "fine"] })).output, "fine\n");
    } finally {
      for (const id of ids) await client.removeContainer(id, { force: true });
    }
  },
);

races.run();
