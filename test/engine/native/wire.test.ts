import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeRequest, jobKind } from "../../../engine/native/protocol.ts";
import { encodeFrame, encodeRaw, FrameReader, frameType } from "../../../engine/native/wire.ts";

const source = (path: string): string => readFileSync(join(import.meta.dirname, "../../..", path), "utf8");
const camelCase = (words: string): string =>
  words.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const wire = suite("native/wire");

wire("a request is its length, its head and its operations", () => {
  const request = encodeRaw(2, [
    { code: 0x0102, fields: ["ab", 1, -1, 1n << 40n, true, Buffer.from([0])] },
    { code: 3, fields: [] },
  ]);
  assert.is(
    request
      .toString("hex")
      .replace(/(.{8})/g, "$1 ")
      .trim(),
    [
      "47000000 01020000 02010600",
      "02000000 61620800 00000100 00000000 00000800 0000ffff ffffffff ffff0800 00000000 00000001",
      "00000800 00000100 00000000 00000100 00000003 000000",
    ].join(" "),
  );
});

wire("text with a NUL inside and numbers that are no integers are refused", () => {
  for (const field of ["a\0b", 1.5, Number.NaN]) {
    assert.throws(
      () => encodeRaw(1, [{ code: 1, fields: [field] }]),
      (error: unknown) => error instanceof RangeError,
    );
  }
});

wire("frames come out whole, however they are cut", () => {
  const frames = [
    encodeFrame(4, Buffer.from("hello")),
    encodeFrame(8),
    encodeFrame(5, Buffer.alloc(5000, "x")),
    encodeFrame(1, Buffer.from([0])),
  ];
  const stream = Buffer.concat(frames);
  for (const size of [1, 2, 3, 7, 4096, stream.length]) {
    const reader = new FrameReader();
    const seen: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      for (const { type, payload } of reader.push(stream.subarray(at, at + size))) {
        seen.push(`${type} ${payload.length} ${payload[0] ?? ""}`);
      }
    }
    assert.equal(seen, ["4 5 104", "8 0 ", "5 5000 120", "1 1 0"]);
  }
});

wire("a frame that claims to be huge is refused before anything is kept for it", () => {
  const reader = new FrameReader();
  assert.throws(
    () => [...reader.push(Buffer.from([4, 255, 255, 255, 255]))],
    (error: unknown) => error instanceof RangeError,
  );
});

wire("operations have the same codes in C", () => {
  const inC = [...source("native/opcodes.h").matchAll(/^\tOP_(\w+) = (\d+),/gm)].map(
    ([, name = "", code]) => `${camelCase(name)} ${code}`,
  );
  const inTypeScript = [...source("engine/native/protocol.ts").matchAll(/^ +(\w+): \[\n?\s*(\d+),/gm)]
    .filter(([, , code]) => Number(code) < 200)
    .map(([, name, code]) => `${name} ${code}`);
  assert.equal(inTypeScript.sort(), inC.sort());
  assert.ok(inC.length > 35);
});

wire("so have frames and jobs", () => {
  const header = source("native/ops.h");
  const inC = (prefix: string): string[] =>
    [...header.matchAll(new RegExp(`\\b${prefix}_(\\w+) = (\\d+),`, "g"))].map(
      ([, name = "", code]) => `${camelCase(name)} ${code}`,
    );
  const entries = (table: object): string[] => Object.entries(table).map(([name, code]) => `${name} ${code}`);
  assert.equal(entries(frameType).sort(), inC("FRAME").sort());
  const jobs = entries(jobKind);
  for (const job of inC("JOB").filter((each) => !each.startsWith("network")))
    assert.ok(jobs.includes(job), job);
});

wire("lists carry their lengths", () => {
  const request = encodeRequest(jobKind.exec, [{ op: "argv", list: ["a", "b"] }]);
  assert.is(request.readUInt16LE(8), 60);
  assert.is(request.readUInt16LE(10), 3, "a count and two items");
});

wire.run();
