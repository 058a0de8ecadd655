import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Sandbox } from "../../helpers/sandbox.ts";
import { makeTar } from "../../helpers/tar.ts";
import { Kitchen, write } from "./kitchen.ts";

const building = suite("engine/builder/build");

let sandbox: Sandbox;
let kitchen: Kitchen;

building.before(async () => {
  sandbox = await Sandbox.open();
  kitchen = new Kitchen(sandbox);
});

building.after(async () => {
  kitchen[Symbol.dispose]();
  await sandbox.close();
});

const HELLO = {
  Dockerfile: [
    "FROM busybox",
    "ARG WHO=world",
    "WORKDIR /app",
    "COPY src ./src",
    'RUN echo "hello $WHO" > greeting && cat src/a >> greeting',
    'CMD ["cat", "/app/greeting"]',
    "",
  ].join("\n"),
  "src/a": "from a\n",
};

building("an image is built from a directory and runs", async () => {
  const built = await kitchen.build(kitchen.context(HELLO), { tags: ["hello"], args: { WHO: "you" } });
  assert.is(built.error, undefined);
  const { stdout } = await sandbox.docker(["run", "--rm", "--network", "none", "hello"]);
  assert.is(stdout, "hello you\nfrom a\n");
});

building(
  "a second build finds every step, also after the daemon was killed, and gives the same image",
  async () => {
    const directory = kitchen.context(HELLO);
    const first = await kitchen.build(directory);
    const second = await kitchen.build(directory);
    assert.is(second.id, first.id);
    await sandbox.kill9();
    await sandbox.start();
    const third = await kitchen.build(directory);
    assert.equal(
      third.steps.map((step) => step.split(" ")[0]),
      ["cached", "cached", "cached"],
    );
    assert.is(third.id, first.id);
  },
);

building(
  "a new time alone changes nothing; new content of the same size under the old time is seen",
  async () => {
    const directory = kitchen.context({ Dockerfile: "FROM scratch\nCOPY f /f\n", f: "one\n" });
    const file = join(directory, "f");
    const { id } = await kitchen.build(directory);
    utimesSync(file, 1e9, 1e9);
    assert.is((await kitchen.build(directory)).id, id);
    writeFileSync(file, "two\n");
    utimesSync(file, 1e9, 1e9);
    assert.equal((await kitchen.build(directory)).steps, ["done [1/1] COPY f /f"]);
  },
);

building("of many files only what changed is copied, and the layer is as if all were", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 80 }, (_, index) => [`d${index % 8}/f${index}`, `${index}\n`]),
  );
  const directory = kitchen.context({
    ...many,
    Dockerfile: "FROM busybox\nCOPY . /all/\n",
    ".dockerignore": "Dockerfile\n",
  });
  await kitchen.build(directory, { tags: ["many"] });
  write(directory, { "d0/f0": "changed\n", "d9/new": "new\n" });
  rmSync(join(directory, "d1/f1"));
  const again = await kitchen.build(directory, { tags: ["many"], explain: true });
  assert.equal([...again.reasons].sort(), [
    "d0/f0 content or mode",
    "d1/f1 is gone",
    "d9 is new",
    "d9/new is new",
  ]);
  const afresh = await kitchen.build(directory, { tags: ["many-afresh"], noCache: true });
  assert.is(afresh.error, undefined);
  const list =
    "cd /all && find . -type f | sort | xargs sha256sum | sha256sum && stat -c '%n %a %Y' . d0 d1 d9 d0/f0";
  assert.is(await kitchen.run("many", list), await kitchen.run("many-afresh", list));
});

building("a failing command says what it printed last, where it stands, and its status", async () => {
  const directory = kitchen.context({
    Dockerfile: "FROM busybox\n\nRUN echo one && \\\n  echo two >&2; exit 7\n",
  });
  const { error } = await kitchen.build(directory);
  assert.is(error?.exitCode, 7);
  assert.is(error?.line, 3);
  assert.is(error?.column, 1);
  assert.equal([...(error?.lastOutput ?? [])].sort(), ["one", "two"]);
  assert.match(error?.frame ?? "", "3 | >>> RUN echo one");
  assert.match(error?.message ?? "", "exit code: 7");
});

building("stages that nobody needs are not run, and equal steps of two stages are run once", async () => {
  const same = "RUN cat /proc/sys/kernel/random/uuid > /u\n";
  const text = `FROM busybox AS a\n${same}FROM busybox AS b\n${same}FROM busybox AS c\nRUN exit 1\nFROM busybox\nCOPY --from=a /u /a\nCOPY --from=b /u /b\n`;
  const { error } = await kitchen.build(kitchen.context({ Dockerfile: text }), { tags: ["stages"] });
  assert.is(error, undefined);
  assert.is(await kitchen.run("stages", "cmp /a /b && echo same"), "same");
});

building("a secret is in no layer, history or cache, and no part of a key", async () => {
  const text =
    "FROM busybox\nRUN --mount=type=secret,id=s,env=S sh -c 'test \"$S\" = hidden-word && cat /run/secrets/s | wc -c > /size; true'\n";
  const directory = kitchen.context({ Dockerfile: text });
  const first = await kitchen.build(directory, {
    tags: ["secret"],
    secrets: [{ id: "s", value: "hidden-word" }],
  });
  assert.is(first.error, undefined);
  const second = await kitchen.build(directory, { secrets: [{ id: "s", value: "another" }] });
  assert.match(second.steps[0] ?? "", /^cached /);
  const { stdout } = await sandbox.docker(["history", "--no-trunc", "secret"]);
  assert.not.match(stdout, 'hidden-word" ');
  for (const name of readdirSync(join(sandbox.dataRoot, "builder"), { recursive: true, encoding: "utf8" })) {
    const path = join(sandbox.dataRoot, "builder", name);
    if (statSync(path).isFile()) assert.not.match(readFileSync(path, "utf8"), "another");
  }
});

building("ignored files are not copied, not mounted, and change no key", async () => {
  const directory = kitchen.context({
    Dockerfile: "FROM busybox\nCOPY . /c/\nRUN --mount=target=/m ls -A /m > /seen\n",
    ".dockerignore": "*\n!keep\n",
    keep: "1",
    drop: "1",
  });
  await kitchen.build(directory, { tags: ["ignored"] });
  write(directory, { drop: "2" });
  const again = await kitchen.build(directory);
  assert.equal(
    again.steps.map((step) => step.split(" ")[0]),
    ["cached", "cached"],
  );
  assert.is(await kitchen.run("ignored", "ls -A /c /seen | tr '\\n' ' '; cat /seen"), "/seen  /c: keep keep");
});

building("a cache mount lives on between builds, and is in no image", async () => {
  const text = (word: string): string =>
    `FROM busybox\nRUN --mount=type=cache,target=/k echo ${word} >> /k/log; cat /k/log > /seen\n`;
  await kitchen.build(kitchen.context({ Dockerfile: text("one") }));
  await kitchen.build(kitchen.context({ Dockerfile: text("two") }), { tags: ["kept"] });
  assert.is(await kitchen.run("kept", "cat /seen; test -e /k || echo no /k"), "one\ntwo\nno /k");
});

building("a check finds warnings with their lines and builds nothing", async () => {
  const directory = kitchen.context({ Dockerfile: "FROM busybox as base\nMAINTAINER me\nRUN exit 1\n" });
  const { warnings, id, error } = await kitchen.build(directory, { check: true });
  assert.is(error, undefined);
  assert.is(id, "");
  assert.equal([...warnings], ["FromAsCasing 1", "MaintainerDeprecated 2"]);
});

building("pruning forgets results of steps", async () => {
  const directory = kitchen.context({ Dockerfile: "FROM busybox\nRUN echo pruned > /p\n" });
  await kitchen.build(directory);
  await sandbox.client.pruneBuilds({ all: true });
  assert.equal((await kitchen.build(directory)).steps, ["done [2/2] RUN echo pruned > /p"]);
});

building("Docker's own call takes a tar and answers in the classic builder's words", async () => {
  const tar = makeTar([
    { path: "Dockerfile", content: "FROM busybox\nCOPY a /a\nRUN cat /a\nLABEL x=y\n" },
    { path: "a", content: "content\n" },
  ]);
  const { text, error } = await kitchen.classic(tar, "t=classic");
  assert.is(error, undefined);
  for (const part of [
    "Step 1/4 : FROM busybox\n",
    "Step 3/4 : RUN cat /a\n",
    "content\n",
    "Successfully tagged classic:latest\n",
  ]) {
    assert.match(text, part);
  }
  assert.match(text, /Successfully built [0-9a-f]{12}\n/);
  const failed = await kitchen.classic(
    makeTar([{ path: "Dockerfile", content: "FROM busybox\nRUN exit 3\n" }]),
  );
  assert.is(failed.error, "The command '/bin/sh -c exit 3' returned a non-zero code: 3");
});

building.run();
