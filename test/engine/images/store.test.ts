import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EngineError } from "../../../engine/errors.ts";
import { digestOf } from "../../../engine/images/digest.ts";
import { parseReference } from "../../../engine/images/reference.ts";
import { makeTar } from "../../helpers/tar.ts";
import { archiveOf, openStore } from "./fixture.ts";

const store = suite("images/store");

const one = { path: "etc/one", content: "1" };

async function fails(work: Promise<unknown>, kind: string, text: RegExp): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, EngineError);
    assert.is((error as EngineError).kind, kind);
    assert.match((error as EngineError).message, text);
    return;
  }
  assert.unreachable("it should have failed");
}

for (const [name, pack] of [
  ["plain", (tar: Buffer) => tar],
  ["gzip", gzipSync],
  [
    "two gzip members",
    (tar: Buffer) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
  ],
  ["zstd", zstdCompressSync],
] as const) {
  store(`an archive is imported: ${name}`, async () => {
    await using of = await openStore();
    const reference = parseReference("made:1");
    const archive = Readable.from([pack(makeTar([one]))]);
    const image = await of.images.import(archive, { reference, changes: ['CMD ["sh"]', "ENV A=b C='d e'"] });
    assert.equal(image.repoTags, ["made:1"]);
    assert.equal(image.config.config?.Cmd, ["sh"]);
    assert.equal(image.config.config?.Env, ["A=b", "C=d e"]);
    assert.is(image.size, 1);
    const [directory = ""] = of.images.layerDirs(image);
    assert.is(readFileSync(join(directory, "etc/one"), "utf8"), "1");
  });
}

store("an image is found by name, id and a beginning of its id", async () => {
  await using of = await openStore();
  const image = await of.images.import(archiveOf(one), { reference: parseReference("a/b:c") });
  for (const text of [
    "a/b:c",
    "docker.io/a/b:c",
    image.id,
    image.id.slice(7),
    image.id.slice(7, 19),
    image.id.slice(0, 15),
  ]) {
    assert.is(of.images.get(text).id, image.id, text);
  }
  await fails(
    Promise.resolve().then(() => of.images.get("a/b")),
    "notFound",
    /^No such image: a\/b:latest$/,
  );
});

store("what is written is there when the store is opened again", async () => {
  await using of = await openStore();
  const image = await of.images.import(archiveOf(one), { reference: parseReference("x:1") });
  await of.images.tag("x:1", "y");
  const images = await of.reopen();
  assert.equal(images.get("y").repoTags, ["x:1", "y:latest"]);
  assert.equal(images.get("x:1").layers, image.layers);
});

store("layers are kept once, and go with the last image that has them", async () => {
  await using of = await openStore();
  const first = await of.images.import(archiveOf(one), { reference: parseReference("x:1"), message: "a" });
  const second = await of.images.import(archiveOf(one), { reference: parseReference("x:2"), message: "b" });
  assert.equal(first.layers, second.layers);
  const [layer = ""] = first.layers;
  await of.images.remove("x:1");
  assert.ok(existsSync(of.images.layerDir(layer)));
  const removed = await of.images.remove("x:2");
  assert.equal(removed, [{ untagged: "x:2" }, { deleted: second.id }, { deleted: layer }]);
  assert.not.ok(existsSync(of.images.layerDir(layer)));
  assert.equal(readdirSync(of.paths.blobs), []);
});

store("a layer on another base is another layer, as dockerd names them", async () => {
  await using of = await openStore();
  const layers = await Promise.all(
    ["base", "other", "top"].map(async (name) => {
      const upper = join(of.directory, "data", name);
      mkdirSync(upper);
      writeFileSync(join(upper, name), name);
      return (await of.images.adoptLayer(upper)).diffId;
    }),
  );
  const [base = "", other = "", top = ""] = layers;
  const make = (own: readonly string[], tag: string) =>
    of.images.createImage({ architecture: "amd64", os: "linux" }, own, { tags: [tag] });
  const first = await make([base, top], "a:1");
  await make([other, top], "b:1");
  await make([base], "c:1");
  assert.equal(await of.images.remove("a:1"), [
    { untagged: "a:1" },
    { deleted: first.id },
    { deleted: digestOf(`${base} ${top}`) },
  ]);
  assert.ok(existsSync(of.images.layerDir(top)));
});

store("a lease keeps layers that no image has", async () => {
  await using of = await openStore();
  const image = await of.images.import(archiveOf(one), { reference: parseReference("x:1") });
  const [layer = ""] = image.layers;
  const lease = of.images.lease();
  lease.hold(layer);
  await of.images.remove("x:1");
  assert.ok(existsSync(of.images.layerDir(layer)));
  lease.release();
});

store("an image in use is not removed, in dockerd's words", async () => {
  await using of = await openStore();
  const image = await of.images.import(archiveOf(one), { reference: parseReference("x:1") });
  const short = image.id.slice(7, 19);
  let running = true;
  of.images.setUsers(() => [{ containerId: "c".repeat(64), imageId: image.id, running }]);
  await fails(
    of.images.remove("x:1"),
    "conflict",
    new RegExp(
      `^conflict: unable to remove repository reference "x:1" \\(must force\\) - container c{12} is using its referenced image ${short}$`,
    ),
  );
  await fails(
    of.images.remove(short, { force: true }),
    "conflict",
    /cannot be forced\) - image is being used by running container c{12}$/,
  );
  running = false;
  await fails(
    of.images.remove(short),
    "conflict",
    /must be forced\) - image is being used by stopped container c{12}$/,
  );
  await of.images.remove(short, { force: true });
  assert.is(of.images.resolve("x:1"), undefined);
  // What the container runs on stays.
  assert.ok(existsSync(of.images.layerDir(image.layers[0] ?? "")));
});

store("an image with names in several repositories is removed by id only by force", async () => {
  await using of = await openStore();
  const image = await of.images.import(archiveOf(one), { reference: parseReference("x:1") });
  await of.images.tag("x:1", "y:1");
  await fails(
    of.images.remove(image.id),
    "conflict",
    /\(must be forced\) - image is referenced in multiple repositories$/,
  );
  assert.equal(await of.images.remove("y:1"), [{ untagged: "y:1" }]);
});

store("what dockerd checks first is checked first: names before stopped containers", async () => {
  await using of = await openStore();
  const image = await of.images.import(archiveOf(one), { reference: parseReference("x:1") });
  await of.images.tag("x:1", "y:1");
  of.images.setUsers(() => [{ containerId: "c".repeat(64), imageId: image.id, running: false }]);
  await fails(of.images.remove(image.id), "conflict", /referenced in multiple repositories$/);
});

store(
  "a name that comes with an image is no tagging, and who tells no age is not pruned by age",
  async () => {
    await using of = await openStore();
    const { Filters } = await import("../../../engine/filters.ts");
    const layer = makeTar([one]);
    const rootfs = { type: "layers", diff_ids: [digestOf(layer)] };
    const config = JSON.stringify({ architecture: "amd64", os: "linux", rootfs });
    const manifest = JSON.stringify([{ Config: "c.json", RepoTags: ["x:1"], Layers: ["l.tar"] }]);
    const files = { "c.json": config, "l.tar": layer, "manifest.json": manifest };
    const archive = archiveOf(...Object.entries(files).map(([path, content]) => ({ path, content })));
    const [image] = await of.images.load(archive, () => {});
    assert.is(image?.lastTagged, "");
    const old = new Filters({ dangling: ["false"], until: ["1s"] });
    assert.equal((await of.images.prune(old)).removed, []);
    await of.images.tag("x:1", "y:1");
    assert.ok(of.images.get("x:1").lastTagged);
  },
);

store("a broken archive leaves nothing", async () => {
  await using of = await openStore();
  for (const bytes of [
    Buffer.from("x"),
    makeTar([one, { path: "etc/one", content: "twice" }]),
    Buffer.alloc(600, 7),
    makeTar([{ path: "../out", content: "x" }]),
    makeTar([one]).subarray(0, 513),
  ]) {
    await fails(of.images.import(Readable.from([bytes])), "invalid", /./);
  }
  await of.images.store.trash.empty();
  assert.equal(readdirSync(of.paths.layers), []);
  assert.equal(of.images.list(), []);
});

store("what a crash left is cleared, and a lost layer takes only its image along", async () => {
  await using of = await openStore();
  await of.images.import(archiveOf(one), { reference: parseReference("whole:1") });
  const lost = await of.images.import(archiveOf({ path: "two", content: "22" }), {
    reference: parseReference("lost:1"),
  });
  mkdirSync(join(of.paths.layers, ".tmp-1234/fs"), { recursive: true });
  mkdirSync(join(of.paths.layers, `${"0".repeat(64)}/fs`), { recursive: true });
  writeFileSync(join(of.paths.ingest, "half.tmp"), "x");
  await of.images.store.trash.discard(join(of.images.layerDir(lost.layers[0] ?? ""), ".."));
  const images = await of.reopen();
  assert.equal(
    images.list().map(({ repoTags }) => repoTags),
    [["whole:1"]],
  );
  assert.is(readdirSync(of.paths.layers).length, 1);
  assert.equal(readdirSync(of.paths.ingest), []);
});

store("a directory becomes a layer whose digest is that of its archive", async () => {
  await using of = await openStore();
  const upper = join(of.directory, "data", "upper");
  mkdirSync(join(upper, "d"), { recursive: true });
  writeFileSync(join(upper, "d/f"), "content");
  const identity = await of.images.identifyLayer(upper);
  const layer = await of.images.adoptLayer(upper, identity);
  assert.is(layer.diffId, identity.diffId);
  assert.not.ok(existsSync(upper));
  const image = await of.images.createImage({ architecture: "amd64", os: "linux" }, [layer.diffId], {
    tags: ["made"],
  });
  assert.equal(image.repoTags, ["made:latest"]);
  assert.is((await of.images.identifyLayer(of.images.layerDir(layer.diffId))).diffId, layer.diffId);
  assert.is(statSync(of.images.layerDir(layer.diffId)).mode & 0o777, 0o755);
});

store("images without names are pruned, and all unused ones if asked", async () => {
  await using of = await openStore();
  const { Filters } = await import("../../../engine/filters.ts");
  await of.images.import(archiveOf(one), { reference: parseReference("x:1") });
  const dangling = await of.images.import(archiveOf({ path: "y", content: "yy" }));
  const first = await of.images.prune(new Filters());
  assert.equal(first.removed.slice(0, 1), [{ deleted: dangling.id }]);
  assert.ok(first.bytes > 2);
  const second = await of.images.prune(new Filters({ dangling: ["false"] }));
  assert.equal(second.removed.slice(0, 1), [{ untagged: "x:1" }]);
  assert.equal(of.images.list(), []);
});

store("an image comes back from its own archive as it was", async () => {
  await using of = await openStore();
  const image = await of.images.import(archiveOf(one, { path: "bin/", mode: 0o711 }), {
    reference: parseReference("x:1"),
  });
  const pieces: Buffer[] = [];
  for await (const piece of of.images.save(["x:1"])) pieces.push(piece as Buffer);
  await of.images.remove("x:1");
  const messages: string[] = [];
  const [back] = await of.images.load(Readable.from([gzipSync(Buffer.concat(pieces))]), ({ stream = "" }) =>
    messages.push(stream),
  );
  assert.is(back?.id, image.id);
  assert.equal(back?.layers, image.layers);
  assert.equal(messages, ["Loaded image: x:1\n"]);
});

store("archives that lie are refused, and leave nothing", async () => {
  await using of = await openStore();
  const layer = makeTar([one]);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [`sha256:${"1".repeat(64)}`] },
  });
  const manifest = JSON.stringify([{ Config: "c.json", RepoTags: ["x:1"], Layers: ["l.tar"] }]);
  for (const [files, text] of [
    [{ "c.json": config, "l.tar": layer, "manifest.json": manifest }, /unpacks to/],
    [{ "l.tar": layer, "manifest.json": manifest }, /lacks c\.json/],
    [{ "c.json": config, "manifest.json": manifest }, /lacks the layer/],
    [{ "c.json": config, "manifest.json": '[{"Config"' }, /no JSON/],
    [{ "c.json": "{}", "manifest.json": manifest }, /no image's/],
    [
      {
        "c.json": config,
        "manifest.json": manifest.replace('["l.tar"]', JSON.stringify(Array(100_000).fill("l.tar"))),
      },
      /100000 layers/,
    ],
    [{ x: "y" }, /no image/],
  ] as const) {
    const archive = archiveOf(...Object.entries(files).map(([path, content]) => ({ path, content })));
    await fails(
      of.images.load(archive, () => {}),
      "invalid",
      text,
    );
  }
  assert.equal(of.images.list(), []);
  await of.images.store.trash.empty();
  assert.equal(readdirSync(of.paths.layers), []);
});

store.run();
