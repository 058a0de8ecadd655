import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lockData } from "../../../engine/store/lock.ts";
import { Records } from "../../../engine/store/records.ts";

const records = suite<{ directory: string }>("engine/store: records and lock");
records.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), "slipway-records-"));
});
records.after.each((context) => rmSync(context.directory, { recursive: true }));

records("a value that was put is there after the next open", async ({ directory }) => {
  const first = await Records.open<{ n: number }>(directory);
  await first.put("a", { n: 1 });
  await first.put("b", { n: 2 });
  await first.remove("a");
  const second = await Records.open<{ n: number }>(directory);
  assert.equal(second.all(), [{ n: 2 }]);
  assert.is(second.get("a"), undefined);
});

records("many puts of one id at a time leave the last on disk, whole", async ({ directory }) => {
  const all = await Records.open<number>(directory);
  await Promise.all(Array.from({ length: 50 }, (_, n) => all.put("x", n)));
  assert.is(readFileSync(join(directory, "x.json"), "utf8"), "49\n");
  assert.equal(readdirSync(directory), ["x.json"]);
});

records(
  "a put is on disk when its promise resolves, also when a later one overtook it",
  async ({ directory }) => {
    const all = await Records.open<number>(directory);
    const early = all.put("x", 1);
    void all.put("x", 2);
    const late = all.put("x", 3);
    await early;
    assert.ok(Number(readFileSync(join(directory, "x.json"), "utf8")) >= 1);
    await late;
    assert.is(readFileSync(join(directory, "x.json"), "utf8"), "3\n");
  },
);

records(
  "a damaged record is reported and left for a person, a cut-short write is cleared",
  async ({ directory }) => {
    writeFileSync(join(directory, "bad.json"), "{");
    writeFileSync(join(directory, ".good.json.1.tmp"), "{");
    const told: string[] = [];
    const all = await Records.open<number>(directory, (path) => told.push(path));
    assert.equal(all.all(), []);
    assert.equal(told, [join(directory, "bad.json")]);
    assert.equal(readdirSync(directory), ["bad.json"]);
  },
);

records(
  "what is put soon is seen at once, and on disk at a flush, with a put, or after a while",
  async ({ directory }) => {
    const all = await Records.open<number>(directory);
    const onDisk = (id: string): string =>
      existsSync(join(directory, `${id}.json`)) ? readFileSync(join(directory, `${id}.json`), "utf8") : "";
    const waited = all.putSoon("a", 1);
    void all.putSoon("b", 2);
    void all.putSoon("c", 3);
    assert.is(all.get("a"), 1);
    assert.is(onDisk("a"), "");
    await all.remove("c");
    await all.put("b", 4);
    assert.is(onDisk("b"), "4\n");
    await all.flush();
    assert.is(onDisk("a"), "1\n");
    void all.putSoon("a", 5);
    await waited;
    assert.is(onDisk("a"), "5\n");
    assert.is(onDisk("c"), "");
  },
);

records("an id that is a path is refused", async ({ directory }) => {
  const all = await Records.open<number>(directory);
  for (const id of ["../x", "a/b", "", ".hidden"]) {
    const error = await all.put(id, 1).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.instance(error, TypeError, id);
  }
});

records("a data root has one owner, and a dead owner's lock is taken over", async ({ directory }) => {
  const path = join(directory, "lock");
  const held = await lockData(path);
  const second = await lockData(path).then(
    () => "taken",
    (error: Error) => error.message,
  );
  assert.match(second, `process ${process.pid}`);
  await held.release();
  writeFileSync(path, "4194304 1@dead\n");
  await (await lockData(path)).release();
  symlinkSync("4194304 1@dead", path);
  await (await lockData(path)).release();
  assert.equal(readdirSync(directory), []);
});

records.run();
