import { mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LogFile } from "../../../../engine/containers/logs/file.ts";
import { NumberedFiles, ShiftedFiles } from "../../../../engine/containers/logs/files.ts";
import { binaryEntries, jsonLines } from "../../../../engine/containers/logs/form.ts";

const logs = suite<{ path: string }>("engine/containers/logs");
logs.before.each((context) => {
  context.path = join(mkdtempSync(join(tmpdir(), "slipway-log-")), "log");
});
logs.after.each(({ path }) => rmSync(join(path, ".."), { recursive: true }));

const line = (text: string): string =>
  `${JSON.stringify({ log: `${text}\n`, stream: "stdout", time: "2026-01-01T00:00:00.000000000Z" })}\n`;
const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, index) => line(`line ${from + index}`)).join("");

function entry(text: string): Buffer {
  const bytes = Buffer.alloc(text.length + 17);
  bytes.writeUInt32LE(text.length + 9, 0);
  bytes.writeUInt8(1, 4);
  bytes.writeBigUInt64LE(1_767_225_600_000_000_000n, 5);
  bytes.write(text, 13);
  bytes.writeUInt32LE(text.length + 9, text.length + 13);
  return bytes;
}
const entries = (count: number, from = 0): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => entry(`line ${from + index}\n`)));

async function read(file: LogFile): Promise<string[]> {
  const texts: string[] = [];
  for await (const entries of file.entries())
    texts.push(...entries.map(({ text }) => text.toString().trim()));
  return texts;
}

for (const [count, tail, first, left] of [
  [5, 2, "line 3", 0],
  [5, 5, "line 0", 0],
  [5, 9, "line 0", 4],
  [5000, 3, "line 4997", 0],
  [5000, 4000, "line 1000", 0],
  [0, 3, undefined, 3],
  [3, 0, undefined, 0],
] as const) {
  logs(`the last ${tail} of ${count} lines begin with ${first}`, async ({ path }) => {
    for (const form of [jsonLines, binaryEntries]) {
      writeFileSync(path, form === jsonLines ? lines(count) : entries(count));
      const file = (await LogFile.open(path, form))!;
      assert.is(await file.seekTail(tail), left);
      assert.is((await read(file))[0], first);
      await file.close();
    }
  });
}

logs("a line is read when its end is there, and a broken one is passed over", async ({ path }) => {
  writeFileSync(path, `${line("one")}${line("two").slice(0, 10)}`);
  const file = (await LogFile.open(path, jsonLines))!;
  assert.equal(await read(file), ["one"]);
  writeFileSync(path, line("two").slice(10), { flag: "a" });
  writeFileSync(path, `{"log":\n${line("three")}`, { flag: "a" });
  assert.equal(await read(file), ["two", "three"]);
  await file.close();
});

logs("rotated files are found, newest first", async ({ path }) => {
  writeFileSync(path, lines(1, 2));
  writeFileSync(`${path}.1`, lines(1, 1));
  writeFileSync(`${path}.2`, lines(1, 0));
  const files = await new ShiftedFiles(path, jsonLines).openAll();
  assert.equal((await Promise.all(files.map(({ file }) => read(file)))).flat(), [
    "line 2",
    "line 1",
    "line 0",
  ]);
  await Promise.all(files.map(({ file }) => file.close()));
});

logs("numbered files are found, compressed or not, and each knows the next", async ({ path }) => {
  const files = new NumberedFiles(path, binaryEntries);
  writeFileSync(path, entries(1, 3));
  writeFileSync(`${path}.10`, entries(1, 2));
  // Of one that is being compressed both are there.
  writeFileSync(`${path}.10.gz`, "unfinished");
  writeFileSync(`${path}.9.gz`, gzipSync(entries(1, 1)));
  writeFileSync(`${path}.2.gz`, gzipSync(entries(1, 0)));
  const all = await files.openAll();
  assert.equal((await Promise.all(all.map(({ file }) => read(file)))).flat(), [
    "line 3",
    "line 2",
    "line 1",
    "line 0",
  ]);
  const [newest, ten, nine] = all;
  assert.is(newest?.number, 11);
  assert.is(await files.after(newest!), undefined);
  for (const [before, next] of [
    [nine, 10],
    [ten, 11],
  ] as const) {
    const after = await files.after(before!);
    assert.is(after?.number, next);
    await after?.file.close();
  }
  // Full and compressed while somebody reads it.
  renameSync(path, `${path}.11`);
  writeFileSync(path, entries(1, 4));
  const after = (await files.after(newest!))!;
  assert.equal([after.number, await read(after.file)], [12, ["line 4"]]);
  await Promise.all([...all, after].map(({ file }) => file.close()));
  assert.equal(
    readdirSync(join(path, "..")).filter((name) => name.endsWith(".tmp")),
    [],
  );
});

logs("files that are shifted while they are opened come once, in order", async ({ path }) => {
  writeFileSync(path, lines(1));
  const files = new ShiftedFiles(path, jsonLines);
  let count = 1;
  const rotate = (): void => {
    for (let index = count; index > 1; index--) renameSync(`${path}.${index - 1}`, `${path}.${index}`);
    renameSync(path, `${path}.1`);
    writeFileSync(path, lines(1, count++));
  };
  for (let round = 0; round < 30; round++) {
    const opening = files.openAll();
    for (let turn = 0; turn < round % 3; turn++) await new Promise(setImmediate);
    rotate();
    const all = await opening;
    const texts = (await Promise.all(all.map(({ file }) => read(file)))).flat();
    assert.equal(
      texts,
      texts.map((_, index) => `line ${texts.length - 1 - index}`),
    );
    await Promise.all(all.map(({ file }) => file.close()));
  }
  // A monitor that was killed amid this: what is there is read, in order.
  renameSync(`${path}.1`, `${path}.${count}`);
  const left = await files.openAll();
  assert.is(left.length, count);
  await Promise.all(left.map(({ file }) => file.close()));
});

logs("the only file of a log is read on when it was begun anew", async ({ path }) => {
  writeFileSync(path, lines(20));
  const file = (await LogFile.open(path, jsonLines))!;
  assert.is((await read(file)).length, 20);
  truncateSync(path);
  writeFileSync(path, lines(1, 20), { flag: "a" });
  assert.equal(await read(file), ["line 20"]);
  await file.close();
});

logs.run();
