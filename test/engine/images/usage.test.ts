/** What is said of the disk, beside what the file system says before and after a removal. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Filters } from "../../../engine/filters.ts";
import type { Image } from "../../../engine/images/types.ts";
import { openStore, type Store } from "./fixture.ts";

const usage = suite("images/usage");

/** All that the store has but its catalog. */
function onDisk(of: Store): number {
  const output = execFileSync("du", ["-s", "--block-size=1", "--exclude=catalog.json", of.paths.dataRoot]);
  return Number.parseInt(output.toString(), 10);
}

async function layer(of: Store, name: string, bytes: number): Promise<string> {
  const upper = join(of.directory, "data", name);
  mkdirSync(join(upper, "directory"), { recursive: true });
  writeFileSync(join(upper, "directory", name), Buffer.alloc(bytes, name));
  return (await of.images.adoptLayer(upper)).diffId;
}

const make = (of: Store, layers: readonly string[], tag: string): Promise<Image> =>
  of.images.createImage({ architecture: "amd64", os: "linux" }, layers, { tags: [tag] });

usage("what a removal frees is what was said, to the byte; what is shared counts once", async () => {
  await using of = await openStore();
  const [base, one, two, cached] = await Promise.all(
    [70_000, 10_000, 5000, 300].map((bytes, at) => layer(of, `layer-${at}`, bytes)),
  );
  assert.ok(base && one && two && cached);
  const first = await make(of, [base, one, cached], "a");
  await make(of, [base, two], "b");
  of.images.addRoots(() => [cached]);
  const before = onDisk(of);
  const said = await of.images.usage();
  const [ofFirst, ofSecond] = said.images;
  await of.images.remove(first.id);
  await of.images.store.trash.empty();
  assert.is(before - onDisk(of), ofFirst?.unique);
  const between = onDisk(of);
  assert.is(said.total, (ofFirst?.unique ?? 0) + (ofSecond?.unique ?? 0) + (ofFirst?.shared ?? 0));
  assert.is((await of.images.usage()).reclaimable, said.reclaimable - (ofFirst?.unique ?? 0));
  const pruned = await of.images.prune(new Filters({ dangling: ["false"] }));
  await of.images.store.trash.empty();
  assert.is(pruned.bytes, between - onDisk(of));
  assert.is(pruned.bytes, said.reclaimable - (ofFirst?.unique ?? 0));
  rmSync(of.images.layerDir(cached), { recursive: true });
});

usage("what a container uses is not called free", async () => {
  await using of = await openStore();
  const [base, own] = await Promise.all([layer(of, "base", 9000), layer(of, "own", 9000)]);
  assert.ok(base && own);
  const used = await make(of, [base], "used");
  await make(of, [base, own], "unused");
  of.images.setUsers(() => [{ containerId: "c".repeat(64), imageId: used.id, running: true }]);
  const { reclaimable, total, images } = await of.images.usage();
  assert.is(images[1]?.unique, reclaimable);
  assert.ok(reclaimable > 9000 && reclaimable < total);
});

usage.run();
