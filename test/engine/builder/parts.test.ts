import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseDuration } from "../../../engine/builder/dockerfile/duration.ts";
import { quote, suggest } from "../../../engine/builder/dockerfile/text.ts";
import { frameOf } from "../../../engine/builder/failure.ts";
import { Limiter } from "../../../engine/builder/limiter.ts";
import { compareManifests, formatManifest, parseManifest } from "../../../engine/builder/manifest.ts";
import { openArchive } from "../../../engine/builder/steps/archive.ts";
import { Tail } from "../../../engine/builder/steps/tail.ts";
import { formatDuration } from "../../../engine/duration.ts";
import { makeTar } from "../../helpers/tar.ts";

const parts = suite("engine/builder/parts");

parts("a frame marks the lines and shows two around", () => {
  const source = "FROM a\nRUN b\nRUN c \\\n  d\nRUN e\nRUN f\nRUN g\n";
  const range = { start: { line: 3, column: 1 }, end: { line: 4, column: 1 } };
  const lines = [
    "1 |     FROM a",
    "2 |     RUN b",
    "3 | >>> RUN c \\",
    "4 | >>>   d",
    "5 |     RUN e",
    "6 |     RUN f",
  ];
  assert.is(frameOf(source, range), lines.join("\n"));
});

parts("manifests tell what is new, other and gone, and survive being written", () => {
  const before = new Map([
    ["a", "file 420 1"],
    ["b\nc", "file 420 2"],
    ["d", "dir 493 "],
  ]);
  const now = new Map([
    ["a", "file 420 9"],
    ["d", "dir 493 "],
    ["e", "symlink 0 x"],
  ]);
  assert.equal(compareManifests(parseManifest(formatManifest(before)), now), {
    added: ["e"],
    changed: ["a"],
    removed: ["b\nc"],
  });
});

for (const [text, nanoseconds] of [
  ["1m30s", 90e9],
  ["1.5h", 5400e9],
  ["250ms", 250e6],
  ["0", 0],
  ["-2s", -2e9],
] as const) {
  parts(`${text} is ${nanoseconds} ns`, () => assert.is(parseDuration(text), nanoseconds));
}

for (const [nanoseconds, text] of [
  [90e9, "1m30s"],
  [5e9, "5s"],
  [1.5e6, "1.5ms"],
  [0, "0s"],
  [3600e9, "1h0m0s"],
] as const) {
  parts(`${nanoseconds} ns are ${text}`, () => assert.is(formatDuration(nanoseconds), text));
}

parts("quotes as Go does", () => assert.is(quote('a"\t\\\u0001é'), '"a\\"\\t\\\\\\x01é"'));

parts("the nearest word within two edits", () => {
  assert.is(suggest("chwon", ["chown", "chmod"]), "chown");
  assert.is(suggest("chown", ["chown"]), undefined);
  assert.is(suggest("unlike", ["chown"]), undefined);
});

parts("the last lines of both streams, whatever the chunks", () => {
  const tail = new Tail();
  for (const chunk of ["one\ntw", "o\nthr", "ee"]) tail.add("stdout", Buffer.from(chunk));
  tail.add("stderr", Buffer.from("bad\n"));
  assert.equal(tail.lines(), ["one", "two", "bad", "three"]);
});

parts("so many at a time and no more", async () => {
  const limiter = new Limiter(2);
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running--;
  };
  await Promise.all(Array.from({ length: 6 }, () => limiter.run(work)));
  assert.is(most, 2);
});

for (const [what, content, isArchive] of [
  ["a tar", makeTar([{ path: "a", content: "x" }]), true],
  ["a compressed tar", gzipSync(makeTar([{ path: "a", content: "x" }])), true],
  ["a compressed text", gzipSync(Buffer.from("text")), false],
  ["a cut off gzip", gzipSync(makeTar([{ path: "a", content: "x" }])).subarray(0, 30), false],
  ["zeros", Buffer.alloc(2048), false],
  ["nothing", Buffer.alloc(0), false],
] as const) {
  parts(`${what} is ${isArchive ? "an" : "no"} archive`, async () => {
    const archive = await openArchive(Readable.from([content]));
    assert.is(archive !== undefined, isArchive);
    archive?.destroy();
  });
}

parts.run();
