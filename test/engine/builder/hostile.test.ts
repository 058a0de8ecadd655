import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Sandbox } from "../../helpers/sandbox.ts";
import { makeTar } from "../../helpers/tar.ts";
import { Kitchen } from "./kitchen.ts";

const hostile = suite("engine/builder/hostile");

let sandbox: Sandbox;
let kitchen: Kitchen;
/** Outside of every context: nothing may read or change it. */
let outside: string;

hostile.before(async () => {
  sandbox = await Sandbox.open();
  kitchen = new Kitchen(sandbox);
  outside = kitchen.context({ secret: "outside\n" });
});

hostile.after(async () => {
  kitchen[Symbol.dispose]();
  await sandbox.close();
});

for (const [what, path] of [
  ["a path above the context", "../outside/secret"],
  ["a link to a file outside", "link"],
  ["a path through a link to a directory outside", "directory/secret"],
  ["an absolute path", "/outside/secret"],
] as const) {
  hostile(`COPY of ${what} finds nothing outside`, async () => {
    const directory = kitchen.context({
      Dockerfile: `FROM busybox\nCOPY ${path} /stolen\n`,
      link: { link: join(outside, "secret") },
      directory: { link: outside },
    });
    const { error } = await kitchen.build(directory);
    assert.match(error?.message ?? "built", "not found");
  });
}

hostile("links to outside are copied as links, not followed", async () => {
  const directory = kitchen.context({
    Dockerfile: "FROM busybox\nCOPY sub /sub\n",
    "sub/l": { link: join(outside, "secret") },
  });
  const { error } = await kitchen.build(directory, { tags: ["links"] });
  assert.is(error, undefined);
  assert.is(
    await kitchen.run("links", "readlink /sub/l; cat /sub/l 2>&1 | grep -c outside; true"),
    `${join(outside, "secret")}\n0`,
  );
});

hostile("a Dockerfile that is a link to outside is not read", async () => {
  const directory = kitchen.context({ Dockerfile: { link: join(outside, "secret") } });
  const { error } = await kitchen.build(directory);
  assert.not.match(error?.message ?? "", "OUTSIDE");
  assert.not.match(error?.frame ?? "", "outside\n");
  assert.ok(error !== undefined);
});

hostile("a bind mount shows nothing outside of the context", async () => {
  const directory = kitchen.context({
    Dockerfile: "FROM busybox\nRUN --mount=source=directory,target=/m cat /m/secret\n",
    directory: { link: outside },
  });
  assert.match((await kitchen.build(directory)).error?.message ?? "built", "not found");
});

hostile("a tar's entries cannot leave the place it is unpacked at", async () => {
  const evil = makeTar([
    { path: "../../../../../../../../escaped", content: "x" },
    { path: "up", link: "../../../../../../../.." },
    { path: "up/escaped-by-link", content: "x" },
  ]);
  const directory = kitchen.context({ Dockerfile: "FROM busybox\nADD evil.tar /a/b/\n" });
  writeFileSync(join(directory, "evil.tar"), evil);
  await kitchen.build(directory);
  for (const name of ["escaped", "escaped-by-link"]) {
    assert.throws(() => readFileSync(join("/", name)), "ENOENT");
    assert.throws(() => readFileSync(join(sandbox.dataRoot, name)), "ENOENT");
  }
});

hostile("a context's tar cannot write outside of the context", async () => {
  await kitchen.classic(
    makeTar([
      { path: "d", link: outside },
      { path: "d/planted", content: "x" },
      { path: "Dockerfile", content: "FROM busybox\n" },
    ]),
  );
  assert.throws(() => readFileSync(join(outside, "planted")), "ENOENT");
});

hostile("what a cache mount's directory is swapped for stays in the build", async () => {
  const text =
    "FROM busybox\nRUN --mount=type=cache,target=/c,id=swap rm -rf /c/* && ln -s / /c/root\nRUN --mount=type=cache,target=/c,id=swap echo x > /c/root/planted-in-cache\n";
  await kitchen.build(kitchen.context({ Dockerfile: text }));
  assert.throws(() => readFileSync("/planted-in-cache"), "ENOENT");
});

hostile("stubs of mounts are removed in the image only", async () => {
  // GHSA: a RUN that replaces a mount's parent by a link made the clean-up delete files of the host.
  mkdirSync(join(outside, "keep"));
  const text = `FROM busybox\nRUN --mount=type=tmpfs,target=/p/keep rm -rf /p2; mv /p /p2 2>/dev/null; ln -s ${outside} /p 2>/dev/null; true\n`;
  await kitchen.build(kitchen.context({ Dockerfile: text }));
  assert.is(readFileSync(join(outside, "secret"), "utf8"), "outside\n");
  rmSync(join(outside, "keep"), { recursive: true });
});

for (const [what, text] of [
  ["insecure mode", "FROM busybox\nRUN --security=insecure id\n"],
  ["the host's network", "FROM busybox\nRUN --network=host id\n"],
] as const) {
  hostile(`${what} needs an entitlement`, async () => {
    const { error } = await kitchen.build(kitchen.context({ Dockerfile: text }));
    assert.match(error?.message ?? "built", "not allowed");
  });
}

hostile("an option in a git reference is no option", async () => {
  const directory = kitchen.context({
    Dockerfile: "FROM busybox\nADD https://example.invalid/x.git#--upload-pack=touch${IFS}/planted /g\n",
  });
  const { error } = await kitchen.build(directory);
  assert.match(error?.message ?? "built", "is no git reference");
});

hostile("two images of equal instructions and other content are two", async () => {
  const build = (text: string) =>
    kitchen.build(kitchen.context({ Dockerfile: "FROM scratch\nCOPY f /f\n", f: text }));
  assert.is.not((await build("a")).id, (await build("b")).id);
});

hostile("a deep loop of links ends", async () => {
  const directory = kitchen.context({
    Dockerfile: "FROM busybox\nCOPY a/b /x\n",
    a: { link: "b" },
    b: { link: "a" },
  });
  const { error } = await kitchen.build(directory);
  assert.match(error?.message ?? "built", /too many links|not found/);
});

hostile.run();
