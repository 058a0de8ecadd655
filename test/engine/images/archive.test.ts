/** Image archives: what goes in comes out, byte for byte, and is kept once. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makeTar, type TarEntry } from "../../helpers/tar.ts";
import { archiveOf, openStore, type Store } from "./fixture.ts";

const archive = suite("images/archive");

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const silent = (): void => {};

/** Content that is not looked into as small. */
const LARGE = Buffer.alloc(1_500_000, "large ");

/** A layer whose archive is not as ours: blanks in its numbers, a name in it, more zeros at its end. */
function foreignLayer(...entries: TarEntry[]): Buffer {
  const bytes = Buffer.concat([makeTar(entries), Buffer.alloc(4096)]);
  bytes.write("somebody", 265);
  let sum = 8 * 0x20;
  for (let at = 0; at < 512; at++) if (at < 148 || at >= 156) sum += bytes[at] ?? 0;
  bytes.write(`${sum.toString(8).padStart(6, " ")}\0 `, 148);
  return bytes;
}

interface Archived {
  readonly layer: Buffer;
  readonly packed?: Buffer;
  readonly name?: string;
}

function configOf(layer: Buffer): Buffer {
  const rootfs = { type: "layers", diff_ids: [`sha256:${sha256(layer)}`] };
  return Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs }));
}

/** As `docker save` wrote it before version 25. */
function dockerArchive({ layer, packed = layer, name = "x:1" }: Archived): Readable {
  const config = configOf(layer);
  const manifest = [{ Config: `${sha256(config)}.json`, RepoTags: [name], Layers: ["a/layer.tar"] }];
  return archiveOf(
    { path: "a/layer.tar", content: packed },
    { path: `${sha256(config)}.json`, content: config },
    { path: "manifest.json", content: JSON.stringify(manifest) },
  );
}

/** An OCI layout; `nested` puts an index for two platforms between. */
function layoutArchive({ layer, packed = layer, name = "x:1" }: Archived, nested = false): Readable {
  const config = configOf(layer);
  const blobs = new Map([config, packed].map((bytes) => [sha256(bytes), bytes]));
  const put = (document: object): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));
    blobs.set(sha256(bytes), bytes);
    return { digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const of = (bytes: Buffer): object => ({
    digest: `sha256:${sha256(bytes)}`,
    size: bytes.length,
    mediaType: "",
  });
  const manifest = put({ config: of(config), layers: [of(packed)] });
  const other = put({ config: of(Buffer.from("{}")), layers: [] });
  const platform = { os: "linux", architecture: process.arch === "arm64" ? "arm64" : "amd64" };
  const top = nested
    ? put({
        manifests: [
          { ...other, platform: { os: "linux", architecture: "mips" } },
          { ...manifest, platform },
        ],
      })
    : manifest;
  const annotations = { "io.containerd.image.name": name };
  const index = JSON.stringify({ schemaVersion: 2, manifests: [{ ...top, annotations }] });
  return archiveOf(
    { path: "index.json", content: index },
    ...[...blobs].map(([hex, content]) => ({ path: `blobs/sha256/${hex}`, content })),
  );
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function packed(of: Store, layer: Buffer): Promise<string> {
  return sha256(await bytesOf(await of.images.packLayer(`sha256:${sha256(layer)}`)));
}

for (const [what, size] of [
  ["small", 10],
  ["large", LARGE.length],
] as const) {
  archive(`a plain layer is kept as files alone, and its archive comes back as it was: ${what}`, async () => {
    await using of = await openStore();
    const layer = foreignLayer({ path: "f", content: LARGE.subarray(0, size) }, { path: "d/", mode: 0o700 });
    for (const open of [dockerArchive, layoutArchive]) {
      const [image] = await of.images.load(open({ layer }), silent);
      assert.equal(image?.repoTags, ["x:1"]);
      assert.is(await packed(of, layer), sha256(layer));
      assert.not.ok(existsSync(join(of.paths.blobs, sha256(layer))));
      const saved = await bytesOf(of.images.save(["x:1"]));
      assert.ok(saved.includes(layer), "the archive holds the layer as it came");
      assert.equal((await of.images.verify(false)).findings, []);
      await of.images.remove("x:1");
      await of.images.store.trash.empty();
      assert.equal(readdirSync(of.paths.layers), []);
    }
  });

  archive(`a compressed layer is kept packed if a manifest names it, else not: ${what}`, async () => {
    await using of = await openStore();
    const layer = foreignLayer({ path: "f", content: Buffer.concat([LARGE.subarray(0, size), LARGE]) });
    const gz = gzipSync(layer, { level: 0 });
    await of.images.load(dockerArchive({ layer, packed: gz }), silent);
    assert.not.ok(existsSync(join(of.paths.blobs, sha256(gz))));
    assert.is(await packed(of, layer), sha256(layer));
    await of.images.remove("x:1");
    await of.images.load(layoutArchive({ layer, packed: gz }), silent);
    assert.ok(existsSync(join(of.paths.blobs, sha256(gz))));
    assert.is(await packed(of, layer), sha256(layer));
    assert.equal(readdirSync(of.paths.ingest), []);
  });
}

archive(
  "of an index for several platforms the one for this machine is loaded, under the index's name",
  async () => {
    await using of = await openStore();
    const layer = makeTar([{ path: "f", content: "x" }]);
    const [image, ...more] = await of.images.load(
      layoutArchive({ layer, name: "docker.io/a/b:c" }, true),
      silent,
    );
    assert.equal([image?.repoTags, more.length], [["a/b:c"], 0]);
  },
);

archive("a name that moves to a loaded image is said, as dockerd says it", async () => {
  await using of = await openStore();
  const [first] = await of.images.load(
    dockerArchive({ layer: makeTar([{ path: "f", content: "1" }]) }),
    silent,
  );
  const said: string[] = [];
  const second = dockerArchive({ layer: makeTar([{ path: "f", content: "2" }]) });
  await of.images.load(second, ({ stream }) => stream !== undefined && said.push(stream));
  assert.equal(said, [
    `The image x:1 already exists, renaming the old one with ID ${first?.id} to empty string\n`,
    "Loaded image: x:1\n",
  ]);
});

archive("an archive of which one image is broken gives none, and leaves nothing", async () => {
  await using of = await openStore();
  const [good, bad] = ["good", "bad"].map((content) => makeTar([{ path: "f", content }]));
  assert.ok(good && bad);
  const configs = [configOf(good), configOf(good.subarray(0, 512))];
  const manifest = configs.map((_, at) => ({
    Config: `${at}.json`,
    RepoTags: [`x:${at}`],
    Layers: [`${at}.tar`],
  }));
  const entries = [
    ...configs.map((content, at) => ({ path: `${at}.json`, content })),
    { path: "0.tar", content: good },
    { path: "1.tar", content: bad },
    { path: "manifest.json", content: JSON.stringify(manifest) },
  ];
  await of.images.load(archiveOf(...entries), silent).then(
    () => assert.unreachable("it should have failed"),
    (error: Error) => assert.match(error.message, /unpacks to/),
  );
  await of.images.store.trash.empty();
  assert.equal([of.images.list(), readdirSync(of.paths.layers), readdirSync(of.paths.blobs)], [[], [], []]);
});

/** A header's size field, with the sum made right again. */
function withSize(tar: Buffer, field: Buffer): Buffer {
  const bytes = Buffer.from(tar);
  field.copy(bytes, 124);
  bytes.fill(" ", 148, 156);
  const sum = bytes.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

for (const [what, bytes, text] of [
  ["a negative size", withSize(makeTar([{ path: "a" }]), Buffer.alloc(12, 0xff)), /bad size/],
  [
    "a size beyond all",
    withSize(makeTar([{ path: "a" }]), Buffer.from("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", "latin1")),
    /bad size/,
  ],
  ["more than there is", withSize(makeTar([{ path: "a" }]), Buffer.from("00000077777\0")), /cut off/],
  ["a name that leads out", makeTar([{ path: "../a", content: "x" }]), /leads out/],
  ["a link in a circle", makeTar([{ path: "manifest.json", link: "manifest.json" }]), /no image/],
  ["no tar", Buffer.alloc(2048, "what is this"), /not a tar/],
] as const) {
  archive(`an image archive with ${what} is refused, and leaves nothing`, async () => {
    await using of = await openStore();
    await of.images.load(Readable.from([bytes]), silent).then(
      () => assert.unreachable("it should have failed"),
      (error: Error) => assert.match(error.message, text),
    );
    await of.images.store.trash.empty();
    for (const directory of [of.paths.layers, of.paths.ingest, of.paths.blobs])
      assert.equal(readdirSync(directory), []);
  });
}

archive("a layer whose files changed is not packed as if they had not", async () => {
  await using of = await openStore();
  const layer = foreignLayer({ path: "f", content: LARGE });
  await of.images.load(dockerArchive({ layer }), silent);
  writeFileSync(join(of.images.layerDir(`sha256:${sha256(layer)}`), "f"), "shorter");
  await packed(of, layer).then(
    () => assert.unreachable("it should have failed"),
    (error: Error) => assert.match(error.message, /f is shorter than it was/),
  );
  const { findings } = await of.images.verify(true);
  assert.equal(
    findings.map(({ what, problem }) => [what, problem]),
    [
      ["layer", "its files changed"],
      ["image", "it lacks a layer"],
    ],
  );
});

archive.run();
