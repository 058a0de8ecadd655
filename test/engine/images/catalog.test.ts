import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CatalogContent, formatCatalog, parseCatalog } from "../../../engine/images/catalog-file.ts";

const catalog = suite("images/catalog");

const content: CatalogContent = {
  layers: new Map([
    ["sha256:a", { size: 1, archiveSize: 2, blobs: [], recipe: true }],
    [
      "sha256:b",
      { size: 3, archiveSize: 4, disk: 0, blobs: [{ digest: "sha256:c", mediaType: "x/y+gzip", size: 5 }] },
    ],
  ]),
  images: new Map([
    [
      "sha256:i",
      {
        ...{ layers: ["sha256:b", "sha256:a", "sha256:gone"], parent: "", created: "2020", lastTagged: "" },
        manifests: ["sha256:m"],
        ghost: true,
      },
    ],
    ["sha256:j", { layers: [], parent: "sha256:i", created: "", lastTagged: "2021", manifests: [] }],
  ]),
  names: new Map([["docker.io/library/x:1", "sha256:j"]]),
};

catalog("what is written is read again", () => {
  assert.equal(parseCatalog(formatCatalog(content)), content);
});

catalog("the form before this one is read, too", () => {
  const { images, layers, names } = content;
  const one = Object.fromEntries(
    Object.entries({ images, layers, names }).map(([k, v]) => [k, Object.fromEntries<unknown>(v)]),
  );
  assert.equal(parseCatalog(JSON.stringify({ version: 1, ...one })), content);
  assert.throws(() => parseCatalog('{"version": 3}'), /version 3/);
});

catalog.run();
