import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Batch } from "../../../src/watch/batch.ts";
import { watchPaths } from "../../../src/watch/watcher.ts";

const watcher = suite("watch/watcher and batch");

watcher("a burst of changes is one flush, soon after", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-watch-"));
  mkdirSync(join(directory, "node_modules"));
  const flushed = Promise.withResolvers<readonly string[]>();
  const batch = new Batch<string>(15, async (paths) => flushed.resolve(paths));
  const watching = await watchPaths(
    [directory],
    (path) => path.includes("node_modules"),
    (path) => batch.add(path),
  );
  try {
    writeFileSync(join(directory, "node_modules", "x"), "x");
    writeFileSync(join(directory, "a"), "a");
    writeFileSync(join(directory, "b"), "b");
    const paths = await flushed.promise;
    assert.equal([...new Set(paths)].sort(), [join(directory, "a"), join(directory, "b")]);
  } finally {
    await watching.close();
    rmSync(directory, { recursive: true });
  }
});

watcher("what is saved last is told, however soon after", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-watch-"));
  const file = join(directory, "a");
  writeFileSync(file, "0");
  let told = 0;
  const watching = await watchPaths(
    [directory],
    () => false,
    () => {
      told += 1;
    },
  );
  try {
    for (const text of ["1", "2", "3"]) {
      const before = told;
      writeFileSync(file, text);
      for (let waited = 0; told === before; waited += 2) {
        if (waited > 1000) throw new Error(`nobody told of ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  } finally {
    await watching.close();
    rmSync(directory, { recursive: true });
  }
});

watcher("what comes during a flush waits for the next, flushes never overlap", async () => {
  const log: string[] = [];
  const done = Promise.withResolvers<void>();
  const batch: Batch<number> = new Batch<number>(1, async (items) => {
    log.push(`${items.join()} begin`);
    if (items[0] === 1) batch.add(2);
    await new Promise((resolve) => setTimeout(resolve, 10));
    log.push(`${items.join()} end`);
    if (items[0] === 2) done.resolve();
  });
  batch.add(1);
  await done.promise;
  assert.equal(log, ["1 begin", "1 end", "2 begin", "2 end"]);
});

watcher.run();
