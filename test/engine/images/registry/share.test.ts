import { chmodSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Images } from "../../../../engine/images/images.ts";
import { parseReference } from "../../../../engine/images/reference.ts";
import { archiveOf, openStore, type Store } from "../fixture.ts";

const share = suite("images/registry/share");

/** Serves an image of one store, and pulls it into another. */
async function pulled(
  before: (from: Store) => void,
  look: (from: Images, to: Store, requests: readonly string[], pull: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  await using from = await openStore();
  await using to = await openStore();
  await from.images.import(archiveOf({ path: "big", content: "b".repeat(100_000) }), {
    reference: parseReference("app:1"),
  });
  const requests: string[] = [];
  const service = await from.images.serve({ host: "127.0.0.1", port: 0, log: (line) => requests.push(line) });
  try {
    // Packs the layer.
    await to.images.remoteManifest(`${service.address}/app:1`, {});
    before(from);
    await look(from.images, to, requests, () => to.images.pull(`${service.address}/app:1`, {}, () => {}));
  } finally {
    await service.close();
  }
}

function layerBlob(images: Images): string {
  return [...images.store.catalog.layers.values()][0]?.blobs[0]?.digest ?? "";
}

share("two data roots of one machine have one file of a blob", () =>
  pulled(
    () => {},
    async (from, to, requests, pull) => {
      await pull();
      const blob = layerBlob(from);
      const [theirs, ours] = [from, to.images].map(({ store }) => statSync(store.blobs.path(blob)));
      // A file system with reflinks gives it an inode of its own.
      assert.ok(ours?.ino === theirs?.ino || ours?.nlink === 1);
      assert.not(
        requests.some((line) => line.includes(`GET /v2/app/blobs/${blob}`)),
        requests.join("\n"),
      );
      assert.equal(readdirSync(to.paths.ingest), []);
      assert.equal((await to.images.verify(false)).findings, []);
    },
  ),
);

for (const [what, change] of [
  ["a directory that others may write to", (from: Store) => chmodSync(from.paths.blobs, 0o777)],
  [
    "a file that others may write to",
    (from: Store) => chmodSync(from.images.store.blobs.path(layerBlob(from.images)), 0o666),
  ],
  [
    "a link to a file",
    (from: Store) => {
      const path = from.images.store.blobs.path(layerBlob(from.images));
      renameSync(path, `${path}.real`);
      symlinkSync(`${path}.real`, path);
    },
  ],
] as const) {
  share(`${what} is not shared: the blob is fetched`, () =>
    pulled(change, async (from, to, requests, pull) => {
      await pull();
      assert.ok(requests.some((line) => line.includes(`GET /v2/app/blobs/${layerBlob(from)} 200`)));
      assert.is(statSync(to.images.store.blobs.path(layerBlob(from))).nlink, 1);
    }),
  );
}

share("a file that is not the blob is refused, and stays as it is", () =>
  pulled(
    (from) => {
      const path = from.images.store.blobs.path(layerBlob(from.images));
      writeFileSync(path, Buffer.alloc(statSync(path).size, 7));
    },
    async (from, to, _requests, pull) => {
      const path = from.store.blobs.path(layerBlob(from));
      await pull().then(
        () => assert.unreachable("it was taken"),
        (error: Error) => assert.match(error.message, /verification failed|no layer|tar|archive/),
      );
      assert.is(statSync(path).nlink, 1);
      assert.equal(readdirSync(to.paths.ingest), []);
      assert.equal(to.images.list(), []);
    },
  ),
);

share.run();
