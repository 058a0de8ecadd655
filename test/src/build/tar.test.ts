import { spawnSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { tarOf } from "../../../src/build/tar.ts";

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

tar.run();
