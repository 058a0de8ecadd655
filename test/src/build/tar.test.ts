import { spawnSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { tarOf } from "../../../src/build/tar.ts";
import { readTar } from "../../../src/build/untar.ts";

const tar = suite("build/tar");

/** What another program reads of an archive. */
function list(archive: Buffer): string[] {
  const { stdout, status } = spawnSync("tar", ["-tvf", "-", "--numeric-owner"], { input: archive });
  assert.is(status, 0);
  return stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.replace(/ +/g, " ").replace(/ \d{4}-\d\d-\d\d \d\d:\d\d/, ""));
}

tar("files, directories and links are read by tar as they were meant", () => {
  const content = Buffer.from("hello");
  assert.equal(
    list(
      tarOf([
        { path: "/run/secrets", kind: "directory", mode: 0o755 },
        { path: "/run/secrets/pw", kind: "file", mode: 0o440, uid: 7, gid: 8, content },
        { path: "link", kind: "symlink", mode: 0o777, target: "run/secrets/pw" },
      ]),
    ),
    [
      "drwxr-xr-x 0/0 0 run/secrets/",
      "-r--r----- 7/8 5 run/secrets/pw",
      "lrwxrwxrwx 0/0 0 link -> run/secrets/pw",
    ],
  );
});

tar("names of more than 100 bytes, also of more than one byte a letter, are kept", () => {
  const path = `${"é".repeat(80)}/${"x".repeat(200)}`;
  const archive = tarOf([{ path, kind: "file", mode: 0o644, content: Buffer.alloc(600, "a") }]);
  const { stdout } = spawnSync("tar", ["-tf", "-", "--quoting-style=literal"], {
    input: archive,
    env: { LC_ALL: "C.UTF-8" },
  });
  assert.is(stdout.toString().trim(), path);
  assert.is(archive.length % 512, 0);
});

tar("an archive is read as it was written, whatever the chunks", async () => {
  const path = `dir/${"n".repeat(150)}`;
  const archive = tarOf([
    { path: "dir", kind: "directory", mode: 0o750 },
    { path, kind: "file", mode: 0o640, content: Buffer.from("hello".repeat(300)) },
    { path: "dir/skipped", kind: "file", mode: 0o640, content: Buffer.from("x") },
    { path: "dir/link", kind: "symlink", mode: 0o777, target: "skipped" },
  ]);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < archive.length; at += 700) yield archive.subarray(at, at + 700);
  }
  const found: string[] = [];
  for await (const { header, content } of readTar(chunks())) {
    let length = 0;
    if (header.path !== "dir/skipped") for await (const chunk of content) length += (chunk as Buffer).length;
    found.push(`${header.kind} ${header.path.length} ${header.mode.toString(8)} ${length}`);
  }
  assert.equal(found, ["directory 3 750 0", "file 154 640 1500", "file 11 640 0", "symlink 8 777 0"]);
});

tar.run();
