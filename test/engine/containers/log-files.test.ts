import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LogFile, openAll } from "../../../engine/containers/log-files.ts";

const logs = suite<{ path: string }>("engine/containers/log-files");
logs.before.each((context) => {
  context.path = join(mkdtempSync(join(tmpdir(), "slipway-log-")), "log");
});
logs.after.each(({ path }) => rmSync(join(path, ".."), { recursive: true }));

const line = (text: string): string =>
  `${JSON.stringify({ log: `${text}\n`, stream: "stdout", time: "2026-01-01T00:00:00.000000000Z" })}\n`;
const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, index) => line(`line ${from + index}`)).join("");

async function read(file: LogFile): Promise<string[]> {
  const texts: string[] = [];
  for await (const entries of file.entries()) texts.push(...entries.map(({ text }) => text.trim()));
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
    writeFileSync(path, lines(count));
    const file = (await LogFile.open(path))!;
    assert.is(await file.seekTail(tail), left);
    assert.is((await read(file))[0], first);
    await file.close();
  });
}

logs("a line is read when its end is there, and a broken one is passed over", async ({ path }) => {
  writeFileSync(path, `${line("one")}${line("two").slice(0, 10)}`);
  const file = (await LogFile.open(path))!;
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
  const files = await openAll(path);
  assert.equal((await Promise.all(files.map(read))).flat(), ["line 2", "line 1", "line 0"]);
  await Promise.all(files.map((file) => file.close()));
});

logs.run();
