import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

hostile("a secret is in no layer, history, log, record or key", async () => {
  const value = "s3cr3t-that-nobody-may-keep";
  const text = `FROM busybox
RUN --mount=type=secret,id=s --mount=type=secret,id=s,env=SECRET test -n "$SECRET" && cat /run/secrets/s > /dev/null && ls -la /run > /seen
`;
  const directory = kitchen.context({ Dockerfile: text });
  const cache = kitchen.context({});
  const options = { tags: ["secret"], cacheTo: [`type=local,dest=${cache},mode=max`] };
  const build = (secret: string) =>
    kitchen.build(directory, { ...options, secrets: [{ id: "s", value: secret }] });
  const { error, output } = await build(value);
  assert.is(error, undefined);
  assert.not.match(output, value);
  const found = await sandbox.inside([
    "grep",
    "-rl",
    value,
    sandbox.dataRoot,
    sandbox.execRoot,
    sandbox.log,
    cache,
  ]);
  assert.is(found.stdout, "", found.stderr);
  // Another value is the same step: a key with it in would say what it was.
  assert.match((await build("another")).steps.join(), /^cached /);
});

hostile("a mount's source that becomes a link while the build runs shows nothing outside", async () => {
  const directory = kitchen.context({
    Dockerfile:
      "FROM busybox\nRUN --mount=source=d,target=/m --mount=type=cache,id=race,target=/c sleep 0.4; ls /m\nRUN --mount=source=d,target=/m ls -a /m; cat /m/secret\n",
    "d/f": "f",
  });
  const building = kitchen.build(directory);
  await new Promise((resolve) => setTimeout(resolve, 250));
  rmSync(join(directory, "d"), { recursive: true });
  symlinkSync(outside, join(directory, "d"));
  const { output } = await building;
  assert.not.match(output, "outside");
});

hostile("a file's link out of a cache mount is not mounted", async () => {
  const mount = "RUN --mount=type=cache,id=links,target=/c";
  const text = `FROM busybox\n${mount} ln -sfn ${outside} /c/l && ln -sfn ../../../../../../../../.. /c/up\n${mount},source=l cat /c/secret\n`;
  const { error, output } = await kitchen.build(kitchen.context({ Dockerfile: text }));
  assert.not.match(output, "outside");
  assert.ok(error !== undefined);
});

hostile("a cache from elsewhere cannot give another layer than it names, nor paths", async () => {
  const cache = kitchen.context({
    "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
    "index.json": JSON.stringify({
      schemaVersion: 2,
      manifests: [{ mediaType: "x", digest: "sha256:../../../../etc/passwd", size: 1 }],
    }),
  });
  const directory = kitchen.context({ Dockerfile: "FROM busybox\nRUN echo own > /own\n" });
  const { error, steps } = await kitchen.build(directory, { cacheFrom: [`type=local,src=${cache}`] });
  assert.is(error, undefined);
  assert.match(steps.join(), /^done /);
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
