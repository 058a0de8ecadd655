import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ContextTree } from "../../../engine/builder/context/context-tree.ts";
import { Contexts } from "../../../engine/builder/context/contexts.ts";
import { Hashes } from "../../../engine/builder/context/hashes.ts";
import { compare, look, type Scan, show } from "../../../engine/builder/context/scan.ts";
import { IgnoreMatcher } from "../../../engine/builder/ignore.ts";
import { Spawner } from "../../../engine/native/spawner.ts";
import type { TreeRoot } from "../../../engine/native/trees.ts";
import { NativeWorkers } from "../../../engine/native/worker-client.ts";
import type { Skipped } from "../../../engine/native/workers.ts";
import { type Files, write } from "./kitchen.ts";

const program =
  process.env["SLIPWAY_NATIVE"] ?? join(import.meta.dirname, "../../../dist/native/slipway-native");

const context = suite("engine/builder/context");

const directories: string[] = [];
let spawner: Spawner;
let workers: NativeWorkers;

context.before(async () => {
  spawner = await Spawner.start({ program, socket: join(made({}), "s.sock") });
  workers = new NativeWorkers(spawner);
});

context.after(async () => {
  await spawner.close();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function made(files: Files): string {
  const directory = mkdtempSync("/var/tmp/slw-context-");
  directories.push(directory);
  write(directory, files);
  return directory;
}

async function scan(directory: string, ignore?: IgnoreMatcher): Promise<Scan> {
  return show(directory, await look(workers, directory), ignore);
}

async function open(directory: string, ignore: readonly string[] = []): Promise<ContextTree> {
  const matcher = ignore.length === 0 ? undefined : new IgnoreMatcher(ignore);
  return new ContextTree(await scan(directory, matcher), await Hashes.open(undefined));
}

async function digest(directory: string, path = "/", ignore: readonly string[] = []): Promise<string> {
  const tree = await open(directory, ignore);
  const found = await tree.find(path);
  return (await tree.content(found!, new Set(tree.hiddenBelow(found!.path)))).digest;
}

context("paths are sorted by component", () => {
  assert.equal(["a.txt", "a/b", "a", "a-b"].sort(compare), ["a", "a/b", "a-b", "a.txt"]);
});

context("hidden parts are named by their topmost path; the way to what is shown again stays", async () => {
  const directory = made({ "n/x": "", "n/keep/y": "", "b/c": "", a: "" });
  const { entries, hidden } = await scan(directory, new IgnoreMatcher(["n", "b", "!n/keep"]));
  assert.equal(
    entries.map(({ path }) => path),
    ["", "a", "n", "n/keep", "n/keep/y"],
  );
  assert.equal([...hidden].sort(), ["b", "n/x"]);
});

context("a hidden directory of which nothing is shown is not there", async () => {
  const directory = made({ "n/x": "", a: "" });
  const { entries, hidden } = await scan(directory, new IgnoreMatcher(["n", "!n/nothing"]));
  assert.equal(
    entries.map(({ path }) => path),
    ["", "a"],
  );
  assert.equal([...hidden].sort(), ["n", "n/x"]);
});

context("links are followed inside the root, and never out of it", async () => {
  const directory = made({
    "d/f": "x",
    l: { link: "d" },
    up: { link: "../../../etc" },
    abs: { link: "/d/f" },
    loop: { link: "loop" },
  });
  const tree = await open(directory);
  assert.is((await tree.find("/l/f"))?.path, "d/f");
  assert.is((await tree.find("/abs"))?.path, "d/f");
  assert.is(await tree.find("/up/passwd"), undefined);
  assert.is((await tree.find("/../../d/f"))?.path, "d/f");
  const failed = await tree.find("/loop").catch((error: Error) => error.message);
  assert.match(String(failed), "too many links");
});

context("a file whose name is not UTF-8 is part of the digest", async () => {
  const directory = made({ a: "" });
  const file = Buffer.concat([Buffer.from(`${directory}/x`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(file, "1");
  const before = await digest(directory);
  writeFileSync(file, "2");
  assert.is.not(await digest(directory), before);
  const tree = await open(directory);
  assert.equal(
    (await tree.glob("/x?*")).map(({ path }) => path),
    ["x\udcff\udcfe"],
  );
});

context("patterns match component by component", async () => {
  const directory = made({ "a1/x.js": "", "a2/x.js": "", "a2/y.ts": "", "b/x.js": "" });
  const tree = await open(directory);
  assert.equal(
    (await tree.glob("/a?/*.js")).map(({ path }) => path),
    ["a1/x.js", "a2/x.js"],
  );
  assert.equal((await tree.glob("/*.js")).length, 0);
});

for (const [what, change, isSame] of [
  ["a time", (d: string) => utimesSync(join(d, "s/f"), 1, 1), true],
  ["a directory's time", (d: string) => utimesSync(join(d, "s"), 1, 1), true],
  ["content", (d: string) => writeFileSync(join(d, "s/f"), "y"), false],
  ["a mode", (d: string) => chmodSync(join(d, "s/f"), 0o600), false],
  ["a sub directory's mode", (d: string) => chmodSync(join(d, "s/t"), 0o700), false],
  ["a new empty directory", (d: string) => mkdirSync(join(d, "s/new")), false],
  [
    "a link's target",
    (d: string) => {
      rmSync(join(d, "s/l"));
      symlinkSync("other", join(d, "s/l"));
    },
    false,
  ],
  ["a second name", (d: string) => linkSync(join(d, "s/f"), join(d, "s/g")), false],
  ["the copied directory's own mode", (d: string) => chmodSync(join(d, "s"), 0o700), true],
] as const) {
  context(`${what} ${isSame ? "changes no" : "changes the"} digest`, async () => {
    const directory = made({ "s/f": { text: "x", mode: 0o644 }, "s/l": { link: "f" }, "s/t/u": "" });
    const before = await digest(directory, "/s");
    change(directory);
    assert.is((await digest(directory, "/s")) === before, isSame);
  });
}

context(
  "hashes of unchanged files are not made again, those of just changed ones are not trusted",
  async () => {
    const directory = made({ old: "1", fresh: "1" });
    const store = join(made({}), "hashes");
    const past = new Date(Date.now() - 60_000);
    utimesSync(join(directory, "old"), past, past);
    await new Promise((resolve) => setTimeout(resolve, 60));
    writeFileSync(join(directory, "fresh"), "2");
    const tree = new ContextTree(await scan(directory), await Hashes.open(store));
    await tree.content((await tree.find("/"))!, new Set());
    await tree.save();
    const again = await Hashes.open(store);
    const known = await scan(directory);
    // Files that cannot be read any more show whose hash is known.
    rmSync(join(directory, "old"));
    const entry = known.entries.find(({ path }) => path === "old")!;
    assert.is(
      (await again.of(known, [entry])).byPath.get("old"),
      "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    );
    const fresh = known.entries.find(({ path }) => path === "fresh")!;
    rmSync(join(directory, "fresh"));
    const failed = await again.of(known, [fresh]).catch((error: Error) => error.message);
    assert.match(String(failed), "changed while the context was read");
  },
);

/** The content of all that is shown, through what is kept of earlier walks. */
async function contentIn(contexts: Contexts, directory: string, ignore: readonly string[] = []) {
  const tree = await contexts.open(directory, new IgnoreMatcher(ignore), true);
  return tree.content((await tree.find("/"))!, new Set(tree.hiddenBelow("")));
}

/** Until a change of now would be seen as one of an older time. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 40));
}

context("a context that looks as it did is not read again; one that does not is", async () => {
  const contexts = new Contexts(made({}), workers);
  const directory = made({ "a/f": "1", "a/g": "1", h: { link: "a" } });
  await settle();
  const first = await contentIn(contexts, directory);
  assert.is(await contentIn(contexts, directory), first);
  writeFileSync(join(directory, "a/f"), "2");
  const second = await contentIn(contexts, directory);
  assert.is.not(second.digest, first.digest);
  // As large as before, of the same time, in the same tick of the clock: only reading tells.
  const { mtime } = statSync(join(directory, "a/f"));
  writeFileSync(join(directory, "a/f"), "3");
  utimesSync(join(directory, "a/f"), mtime, mtime);
  assert.is.not((await contentIn(contexts, directory)).digest, second.digest);
  await settle();
  chmodSync(join(directory, "a/g"), 0o600);
  const third = await contentIn(contexts, directory);
  assert.is.not(third.digest, second.digest);
  rmSync(join(directory, "h"));
  assert.is.not((await contentIn(contexts, directory)).digest, third.digest);
});

context("what is hidden may change as it likes", async () => {
  const contexts = new Contexts(made({}), workers);
  const directory = made({ a: "1", Dockerfile: "1", "x/log": "1", link: { link: "a" } });
  const ignore = ["Dockerfile", "**/log", "li*"];
  await settle();
  // The second walk knows of all that is hidden.
  for (let time = 0; time < 2; time++) await contentIn(contexts, directory, ignore);
  const before = await contentIn(contexts, directory, ignore);
  writeFileSync(join(directory, "Dockerfile"), "22");
  writeFileSync(join(directory, "x/log"), "22");
  rmSync(join(directory, "link"));
  symlinkSync("x", join(directory, "link"));
  assert.is(await contentIn(contexts, directory, ignore), before);
});

context("what is kept hangs on .dockerignore", async () => {
  const contexts = new Contexts(made({}), workers);
  const directory = made({ "a/f": "1", "b/f": "1", "c/b/f": "1" });
  await settle();
  const names = async (ignore: readonly string[]): Promise<string> =>
    [...(await contentIn(contexts, directory, ignore)).manifest!.keys()].join(" ");
  const all = "a a/f b b/f c c/b c/b/f";
  for (const [ignore, shown] of [
    [[], all],
    [["b"], "a a/f c c/b c/b/f"],
    [["**/b"], "a a/f c"],
    [["*/b", "a"], "b b/f c"],
    [["**/f", "!a/f"], "a a/f b c c/b"],
    [["b", "!b/f"], all],
  ] as const) {
    for (const time of ["first", "second", "third"])
      assert.is(await names(ignore), shown, `${ignore} ${time}`);
  }
});

context("a walk does not look into what is ignored", async () => {
  const seen: Skipped[] = [];
  const counting = {
    scan: (root: TreeRoot, skipped: Skipped) => {
      seen.push(skipped);
      return workers.scan(root, skipped);
    },
  };
  const contexts = new Contexts(made({}), counting);
  const directory = made({ "node_modules/x": "", "a/node_modules/x": "", "out/x": "", "b1/x": "" });
  for (let time = 0; time < 2; time++)
    await contexts.open(directory, new IgnoreMatcher(["**/node_modules", "out", "b?"]), true);
  const hidden = ["a/node_modules", "b1", "node_modules"];
  assert.equal(seen, [
    { paths: ["out"], names: ["node_modules"] },
    { paths: ["out", ...hidden], names: ["node_modules"] },
  ]);
  const { entries } = await show(directory, await look(workers, directory, seen[1]!), undefined);
  assert.not(entries.some(({ path }) => path.endsWith("/x")));
});

context.run();
