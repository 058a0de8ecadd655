/** Images from elsewhere than a registry. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseReference } from "../../../engine/images/reference.ts";
import { parseSource, sourceFor } from "../../../engine/images/sources/source.ts";
import { archiveOf, openStore, type Store } from "./fixture.ts";

const sources = suite("images/sources");

for (const [text, source] of [
  ["bootstrap", { kind: "bootstrap", options: {} }],
  [
    "bootstrap:trixie?variant=slim&include=curl,nginx-light",
    { kind: "bootstrap", options: { suite: "trixie", variant: "slim", include: ["curl", "nginx-light"] } },
  ],
  ["oci-layout:/a/b@x:1", { kind: "oci-layout", path: "/a/b", name: "x:1" }],
  ["oci-layout:///a/b", { kind: "oci-layout", path: "/a/b", name: undefined }],
  ["dir:/a@b", { kind: "dir", path: "/a@b" }],
] as const) {
  sources(`a source is read: ${text}`, () => assert.equal(parseSource(text), source));
}

for (const text of [
  "",
  "/a",
  "dir:a",
  "docker://x",
  "bootstrap:x?variant=huge",
  "bootstrap?mirror=x",
  "archive:",
])
  sources(`no source: ${text}`, () => assert.throws(() => parseSource(text), /source|path|variant/));

sources("a pattern chooses by name and tag", () => {
  const rules = { "debian:*-slim": "a", "base/*": "b", "x:1": "c" };
  const of = (name: string): string | undefined => sourceFor(rules, parseReference(name));
  assert.equal(
    [
      "debian:bookworm-slim",
      "debian:bookworm",
      "base/web:2",
      "base/a/b:1",
      "x:1",
      "docker.io/library/x:1",
    ].map(of),
    ["a", undefined, "b", undefined, "c", "c"],
  );
});

async function refused(work: Promise<unknown>, text: RegExp): Promise<void> {
  await work.then(
    () => assert.unreachable("it should have failed"),
    (error: Error) => assert.match(error.message, text),
  );
}

async function layout(of: Store): Promise<string> {
  await of.images.import(archiveOf({ path: "f", content: "1" }), { reference: parseReference("one:1") });
  await of.images.import(archiveOf({ path: "f", content: "2" }), { reference: parseReference("two:1") });
  const directory = join(of.directory, "layout");
  mkdirSync(directory);
  const pieces: Buffer[] = [];
  for await (const piece of of.images.save(["one:1", "two:1"])) pieces.push(piece as Buffer);
  writeFileSync(`${directory}.tar`, Buffer.concat(pieces));
  execFileSync("tar", ["-xf", `${directory}.tar`, "-C", directory]);
  rmSync(join(directory, "manifest.json"));
  for (const name of ["one:1", "two:1"]) await of.images.remove(name);
  return directory;
}

sources(
  "an image is taken from a layout or an archive, under the name that is asked for, and it is said",
  async () => {
    await using of = await openStore();
    const path = await layout(of);
    const said: string[] = [];
    const take = (name: string, source: string) =>
      of.images.take(name, source, {}, ({ status = "" }) => said.push(status));
    for (const source of [`oci-layout:${path}@two:1`, `archive:${path}.tar@two:1`]) {
      const { fresh } = await take("mine:1", source);
      assert.is(fresh, source.startsWith("oci"));
      const [top = ""] = of.images.layerDirs(of.images.get("mine:1"));
      assert.is(readFileSync(join(top, "f"), "utf8"), "2");
    }
    assert.equal(said.slice(0, 2), [`Taking mine:1 from oci-layout:${path}@two:1`, "Status: Took mine:1"]);
    assert.is(of.images.resolve("two:1"), undefined);
    await take("one:1", `oci-layout:${path}`);
    await refused(take("other:1", `oci-layout:${path}`), /has no image other:1: it has one:1, two:1/);
    await refused(take("other:1", "oci-layout:/nowhere"), /is no directory/);
  },
);

sources("a directory is an image; unchanged it is the same one", async () => {
  const root = mkdtempSync("/var/tmp/slw-rootfs-");
  try {
    cpSync("/etc/hostname", join(root, "hostname"));
    await using of = await openStore({ sources: { "root/*": `dir:${root}` } });
    const pull = () => of.images.pull("root/fs:1", {}, () => {});
    const first = await pull();
    assert.equal(await pull(), { id: first.id, fresh: false });
    writeFileSync(join(root, "more"), "x");
    assert.is.not((await pull()).id, first.id);
  } finally {
    rmSync(root, { recursive: true });
  }
});

sources.run();
