import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { removeStale } from "../../../engine/builder/prune.ts";

const pruning = suite("engine/builder/prune");

pruning("what was learnt of a context goes when nobody learnt anew for a month", async () => {
  const directory = mkdtempSync("/var/tmp/slw-stale-");
  try {
    const now = Date.now();
    for (const [name, days] of [
      ["old", 31],
      ["new", 29],
    ] as const) {
      writeFileSync(join(directory, name), "");
      const seconds = now / 1000 - days * 24 * 60 * 60;
      utimesSync(join(directory, name), seconds, seconds);
    }
    await removeStale(directory, now);
    assert.equal(readdirSync(directory), ["new"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

pruning.run();
