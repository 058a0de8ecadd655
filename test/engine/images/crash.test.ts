import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseReference } from "../../../engine/images/reference.ts";
import { archiveOf, openStore, program } from "./fixture.ts";

const crash = suite("images/crash");

crash("killed at any moment, a store opens, and all that it names is whole", async () => {
  await using of = await openStore();
  for (let round = 0; round < 6; round++) {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL("./crash-child.ts", import.meta.url)), of.directory, program, String(round)],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await once(child.stdout, "data");
    await sleep(30 + round * 60);
    child.kill("SIGKILL");
    await once(child, "exit");
    await sleep(100); // its workers notice that nobody reads their answers
    const images = await of.reopen();
    await images.store.trash.empty();
    const { findings } = await images.verify(false);
    assert.equal(findings, []);
    assert.is(readdirSync(of.paths.layers).length, images.store.catalog.layers.size, "a half layer is left");
    assert.equal(readdirSync(of.paths.ingest), []);
  }
});

crash("on a full disk an import fails and leaves nothing, and the next one that fits works", async () => {
  await using of = await openStore();
  const data = of.paths.dataRoot;
  rmSync(data, { recursive: true });
  mkdirSync(data);
  execFileSync("sh", ["-c", `mount -t tmpfs -o size=4m tmpfs ${data}`]);
  try {
    for (const [path, mode] of of.paths.directories) mkdirSync(path, { recursive: true, mode });
    let images = await of.reopen();
    const large = archiveOf({ path: "large", content: Buffer.alloc(6 << 20, 1) });
    await images.import(large).then(
      () => assert.unreachable("it should have failed"),
      (error: Error) => assert.match(error.message, /No space left/),
    );
    await images.store.trash.empty();
    assert.equal(readdirSync(of.paths.layers), []);
    await images.import(archiveOf({ path: "small", content: "s" }), { reference: parseReference("small") });
    images = await of.reopen();
    assert.equal((await images.verify(false)).findings, []);
    assert.ok(images.resolve("small"));
  } finally {
    execFileSync("sh", ["-c", `umount ${data}`]);
  }
});

crash("wherever a disk gets full, a load or a build step fails whole, and the store opens", async () => {
  await using of = await openStore();
  const pieces: Buffer[] = [];
  for (const [name, size] of [
    ["a", 70_000],
    ["b", 1_200_000],
  ] as const)
    await of.images.import(archiveOf({ path: name, content: Buffer.alloc(size, name) }), {
      reference: parseReference(name),
    });
  for await (const piece of of.images.save(["a", "b"])) pieces.push(piece as Buffer);
  const data = of.paths.dataRoot;
  let [failed, done] = [0, 0];
  for (const kilobytes of [48, 80, 120, 160, 200, 1200, 1360, 2000]) {
    rmSync(data, { recursive: true });
    mkdirSync(data);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", data]);
    try {
      for (const [path, mode] of of.paths.directories) mkdirSync(path, { recursive: true, mode });
      const images = await of.reopen();
      const upper = join(data, "upper");
      for (const work of [
        () => images.load(Readable.from(pieces), () => {}),
        async () => {
          mkdirSync(upper);
          writeFileSync(join(upper, "file"), "built");
          const { diffId } = await images.adoptLayer(upper);
          await images.createImage({ architecture: "amd64", os: "linux" }, [diffId], { tags: ["built"] });
        },
      ]) {
        await work().then(
          () => done++,
          (error: Error) => {
            assert.match(error.message, /No space left|ENOSPC/);
            failed++;
          },
        );
      }
      rmSync(upper, { recursive: true, force: true });
      const reopened = await of.reopen();
      await reopened.store.trash.empty();
      assert.equal((await reopened.verify(false)).findings, [], `${kilobytes}k`);
      assert.is(readdirSync(of.paths.layers).length, reopened.store.catalog.layers.size, `${kilobytes}k`);
      assert.equal(readdirSync(of.paths.ingest), [], `${kilobytes}k`);
    } finally {
      execFileSync("umount", [data]);
    }
  }
  assert.ok(failed > 3 && done > 3, `${failed} failed, ${done} done`);
});

crash("changed files are found, and repaired from the blob or put into quarantine", async () => {
  await using of = await openStore();
  const image = await of.images.import(archiveOf({ path: "f", content: "as it was" }), {
    reference: parseReference("x"),
  });
  const [diffId = ""] = image.layers;
  const file = join(of.images.layerDir(diffId), "f");
  assert.equal((await of.images.verify(false)).findings, []);
  writeFileSync(file, "changed!!");
  const [finding, ...rest] = (await of.images.verify(false)).findings;
  assert.equal(
    [finding?.what, finding?.id, finding?.problem, rest.length],
    ["layer", diffId, "its files changed", 0],
  );
  const repaired = await of.images.verify(true);
  assert.equal(
    repaired.findings.map(({ what }) => what),
    ["layer", "image"],
  );
  assert.equal((await of.images.verify(false)).findings, []);
  assert.is(readdirSync(join(of.paths.dataRoot, "quarantine")).length, 1);
});

crash.run();
