import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Spawner } from "../../../engine/native/spawner.ts";
import type { TreeRoot } from "../../../engine/native/trees.ts";
import { NativeWorkers } from "../../../engine/native/worker-client.ts";
import type { CopyOptions } from "../../../engine/native/workers.ts";
import { makeTar } from "../../helpers/tar.ts";

const program =
  process.env["SLIPWAY_NATIVE"] ?? join(import.meta.dirname, "../../../dist/native/slipway-native");

interface Place {
  directory: string;
  spawner: Spawner;
  workers: NativeWorkers;
}

const workers = suite<Place>("native/workers");

workers.before.each(async (place) => {
  place.directory = mkdtempSync("/var/tmp/slw-workers-");
  place.spawner = await Spawner.start({ program, socket: join(place.directory, "s.sock") });
  place.workers = new NativeWorkers(place.spawner);
});

workers.after.each(async (place) => {
  await place.spawner.close();
  rmSync(place.directory, { recursive: true, force: true });
});

/** Makes files: a string is content, null a directory, "-> x" a link. */
function fill(root: string, files: Readonly<Record<string, string | null>>): string {
  for (const [path, content] of Object.entries(files)) {
    const whole = join(root, path);
    mkdirSync(content === null ? whole : join(whole, ".."), { recursive: true });
    if (content?.startsWith("-> ")) symlinkSync(content.slice(3), whole);
    else if (content !== null) writeFileSync(whole, content);
  }
  return root;
}

async function collect(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function dir(path: string): TreeRoot {
  return { kind: "dir", path };
}

/** An overlay of two layers with an empty upper directory. */
function overlay(
  { directory }: Place,
  lower: Readonly<Record<string, string | null>>,
): { tree: TreeRoot; upper: string; lowers: string[] } {
  const lowers = [fill(join(directory, "top"), { "only-top": "t" }), fill(join(directory, "bottom"), lower)];
  const [upper, work] = [
    fill(join(directory, "upper"), { "": null }),
    fill(join(directory, "work"), { "": null }),
  ];
  return { tree: { kind: "overlay", lowers, upper, work }, upper, lowers };
}

async function refused(work: Promise<unknown>, text: RegExp): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.match((error as Error).message, text);
    return;
  }
  assert.unreachable("it should have failed");
}

workers("a file is read beneath the root, links of the tree included", async ({ directory, workers: of }) => {
  const root = dir(
    fill(join(directory, "root"), {
      "etc/passwd": "inside",
      abs: "-> /etc/passwd",
      up: "-> ../../../etc/passwd",
    }),
  );
  for (const path of ["etc/passwd", "/etc/passwd", "abs", "up"]) {
    assert.is((await of.read(root, path)).toString(), "inside", path);
  }
  await refused(of.read(root, "etc"), /not a regular file/);
  await refused(of.read(root, "nothing"), /No such file/);
  await refused(of.read(root, "etc/passwd", 3), /at most 3/);
});

workers("a FIFO in the place of a file holds nobody", async ({ directory, workers: of }) => {
  mkdirSync(join(directory, "root"));
  execFileSync("sh", ["-c", "mkfifo root/fifo"], { cwd: directory });
  await refused(of.read(dir(join(directory, "root")), "fifo"), /not a regular file/);
});

workers("facts of a file, and of the file a link leads to", async ({ directory, workers: of }) => {
  const root = dir(fill(join(directory, "root"), { "a/b": "12345", link: "-> /a/b", broken: "-> /nowhere" }));
  const [own, followed, absent] = await Promise.all([
    of.stat(root, "link"),
    of.stat(root, "link", { follow: true }),
    of.stat(root, "broken", { follow: true }),
  ]);
  assert.equal([own?.type, own?.linkTarget], ["symlink", "/a/b"]);
  assert.equal([followed?.type, followed?.size, followed?.path], ["file", 5, "/a/b"]);
  assert.is(absent, undefined);
});

workers(
  "a tree is listed in one order, and measured with each inode once",
  async ({ directory, workers: of }) => {
    const root = fill(join(directory, "root"), { "b/z": "1", "b/a": "22", "a.txt": "333", c: "-> b" });
    execFileSync("ln", [join(root, "a.txt"), join(root, "hard")]);
    const paths: string[] = [];
    for await (const { path } of of.walk(dir(root))) paths.push(path);
    assert.equal(paths, ["", "a.txt", "b", "b/a", "b/z", "c", "hard"]);
    const { disk, ...size } = await of.measure(dir(root));
    assert.equal(size, { entries: 7, bytes: 7 });
    assert.ok(disk >= 6);
  },
);

workers(
  "the same tree gives the same archive, and the archive the same tree",
  async ({ directory, workers: of }) => {
    const root = fill(join(directory, "root"), {
      "d/file": "content",
      "d/link": "-> file",
      [`long/${"n".repeat(120)}`]: "x",
    });
    execFileSync(
      "sh",
      [
        "-c",
        "ln d/file d/hard; mkfifo fifo; mknod null c 1 3; chown 3000000:5 d/file; chmod 4711 d/file; truncate -s 1M sparse",
      ],
      { cwd: root },
    );
    const pack = async (path: string): Promise<Buffer> =>
      await collect(of.tar(dir(path), { whiteouts: "layer" }));
    const first = await pack(root);
    assert.ok(first.equals(await pack(root)));
    const back = fill(join(directory, "back"), { "": null });
    await of.untar(Readable.from([first]), dir(back), { whiteouts: "overlay" });
    assert.ok(first.equals(await pack(back)));
    const stat = lstatSync(join(back, "d/file"));
    assert.equal([stat.uid, stat.gid, stat.mode & 0o7777, stat.nlink], [3000000, 5, 0o4711, 2]);
    execFileSync("tar", ["-t"], { input: first });
  },
);

workers("a layer's identity is that of its archive", async (place) => {
  const { workers: of, directory } = place;
  const root = fill(join(directory, "root"), { "d/file": "content", "d/link": "-> file", empty: "" });
  execFileSync(
    "sh",
    ["-c", "ln d/file d/hard; mknod gone c 0 0; mkfifo fifo; head -c 3000001 /dev/urandom > large"],
    { cwd: root },
  );
  for (const path of [root, fill(join(directory, "nothing"), { "": null })]) {
    const archive = await collect(of.tar(dir(path), { whiteouts: "layer" }));
    assert.equal(await of.identify(dir(path)), {
      digest: `sha256:${createHash("sha256").update(archive).digest("hex")}`,
      archiveBytes: archive.length,
      bytes: (await of.measure(dir(path))).bytes,
    });
  }
  await refused(of.identify(dir(join(directory, "absent"))), /absent/);
});

workers("whiteouts of an overlay become a layer's, and back", async (place) => {
  const { workers: of, directory } = place;
  const { tree, upper } = overlay(place, { "gone/x": "1", "opaque/old": "1", kept: "k" });
  await of.remove(tree, "gone");
  await of.remove(tree, "opaque");
  await of.makeDirectory(tree, "opaque");
  await of.write(tree, "opaque/new", "n");
  const names = execFileSync("tar", ["-t"], {
    input: await collect(of.tar(dir(upper), { whiteouts: "layer" })),
  });
  assert.equal(names.toString().trim().split("\n"), [
    ".wh.gone",
    "opaque/",
    "opaque/.wh..wh..opq",
    "opaque/new",
  ]);
  const back = fill(join(directory, "back"), { "": null });
  await of.untar(of.tar(dir(upper), { whiteouts: "layer" }), dir(back), { whiteouts: "overlay" });
  const lowers = [back, join(directory, "top"), join(directory, "bottom")];
  const paths: string[] = [];
  for await (const { path } of of.walk({ kind: "overlay", lowers })) paths.push(path);
  assert.equal(paths, ["", "kept", "only-top", "opaque", "opaque/new"]);
});

workers("what an upper directory changes is listed as dockerd lists it", async (place) => {
  const { workers: of } = place;
  const { tree, upper, lowers } = overlay(place, {
    "etc/a": "1",
    "etc/b": "2",
    "var/x/y": "3",
    "opaque/old": "o",
  });
  await of.write(tree, "etc/a", "changed");
  await of.remove(tree, "etc/b");
  await of.write(tree, "new/deep/file", "n");
  await of.remove(tree, "opaque");
  await of.makeDirectory(tree, "opaque");
  const changes = await of.changes(upper, lowers);
  assert.equal(
    changes.map(({ kind, path }) => `${kind[0]} ${path}`),
    [
      "m /etc",
      "m /etc/a",
      "d /etc/b",
      "a /new",
      "a /new/deep",
      "a /new/deep/file",
      "m /opaque",
      "d /opaque/old",
    ],
  );
});

const COPIES: readonly (readonly [string, CopyOptions, readonly string[]])[] = [
  ["a file to a new place", { items: [{ source: "f", target: "/x/y" }] }, ["x", "x/y"]],
  [
    "what is in a directory",
    { items: [{ source: "d", target: "x", contents: true }] },
    ["x", "x/in", "x/sub", "x/sub/deep"],
  ],
  ["a directory itself", { items: [{ source: "d", target: "x" }], exclude: ["d/sub"] }, ["x", "x/in"]],
  [
    "only what is listed",
    { items: [{ source: "", target: "x", contents: true }], only: ["d/sub/deep", "f"] },
    ["x", "x/d", "x/d/sub", "x/d/sub/deep", "x/f"],
  ],
  ["through a link to a directory", { items: [{ source: "f", target: "link/f" }] }, ["real/f"]],
];

for (const [what, options, expected] of COPIES) {
  workers(`a copy makes ${what}`, async (place) => {
    const { workers: of, directory } = place;
    const from = dir(fill(join(directory, "from"), { f: "file", "d/in": "in", "d/sub/deep": "deep" }));
    const { tree, upper } = overlay(place, { "real/old": "o", link: "-> /real" });
    await of.copy(from, tree, options);
    const made = readdirSync(upper, { recursive: true, encoding: "utf8" }).filter((path) => path !== "real");
    assert.equal(made.sort(), [...expected].sort());
  });
}

workers("a copy gives owner and mode as it is asked to", async ({ workers: of, directory }) => {
  const from = dir(fill(join(directory, "from"), { "d/f": "file" }));
  const to = fill(join(directory, "to"), { "": null });
  await of.copy(from, dir(to), {
    items: [{ source: "d", target: "x/d" }],
    owner: { uid: 5, gid: 6 },
    mode: "u=rwX,go-rwx",
    mtime: 1000,
  });
  for (const [path, mode] of [
    ["x/d", 0o700],
    ["x/d/f", 0o600],
  ] as const) {
    const stat = lstatSync(join(to, path));
    assert.equal([stat.uid, stat.gid, stat.mode & 0o777, stat.mtimeMs], [5, 6, mode, 1_000_000], path);
  }
});

workers("a copy puts no file over a directory, and leaves no root", async (place) => {
  const { workers: of, directory } = place;
  const from = dir(fill(join(directory, "from"), { f: "file", "d/x": "x" }));
  const { tree } = overlay(place, { "dir/a": "1", file: "2" });
  await refused(
    of.copy(from, tree, { items: [{ source: "f", target: "dir" }] }),
    /cannot replace to directory/,
  );
  await refused(
    of.copy(from, tree, { items: [{ source: "d", target: "file" }] }),
    /cannot copy to non-directory/,
  );
  await refused(of.copy(from, tree, { items: [{ source: "f", target: "../f" }] }), /leads out/);
  await refused(of.copy(from, tree, { items: [{ source: "absent", target: "f" }] }), /No such file/);
});

workers("binds lie over a tree, and read-only ones stay as they are", async (place) => {
  const { workers: of, directory } = place;
  const { tree } = overlay(place, { "data/hidden": "h", "ro/x": "x" });
  if (tree.kind !== "overlay") return;
  const [volume, other] = [
    fill(join(directory, "volume"), { seen: "s" }),
    fill(join(directory, "other"), { y: "y" }),
  ];
  const binds = [
    { source: volume, target: "/data", readonly: false },
    { source: other, target: "/ro", readonly: true },
  ];
  const bound = { ...tree, binds };
  assert.is((await of.read(bound, "data/seen")).toString(), "s");
  assert.is(await of.stat(bound, "data/hidden"), undefined);
  await of.write(bound, "data/made", "m");
  assert.is(readFileSync(join(volume, "made"), "utf8"), "m");
  await refused(of.write(bound, "ro/y", "changed"), /Read-only/);
});

workers(
  "an archive for a directory may not change what kind its files are",
  async ({ workers: of, directory }) => {
    const root = dir(fill(join(directory, "root"), { "d/x": "x", f: "f" }));
    const options = { whiteouts: "plain", keepKinds: true } as const;
    await refused(
      of.untar(Readable.from([makeTar([{ path: "d", content: "file" }])]), root, options),
      /cannot overwrite directory/,
    );
    await refused(
      of.untar(Readable.from([makeTar([{ path: "f/" }])]), root, options),
      /cannot overwrite non-directory/,
    );
  },
);

workers("a process's root is what it sees", async ({ workers: of }) => {
  const own: TreeRoot = { kind: "process", pid: process.pid };
  assert.equal(await of.read(own, "/etc/passwd"), readFileSync("/etc/passwd"));
});

workers.run();
