/** Odd places of the language, as BuildKit was seen to treat them: Dockerfile → what a command in the image prints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Sandbox } from "../../helpers/sandbox.ts";
import { type Files, Kitchen } from "./kitchen.ts";

const ways = suite("engine/builder/ways");

let sandbox: Sandbox;
let kitchen: Kitchen;

ways.before(async () => {
  sandbox = await Sandbox.open();
  kitchen = new Kitchen(sandbox);
});

ways.after(async () => {
  kitchen[Symbol.dispose]();
  await sandbox.close();
});

const out = (): string => join(sandbox.directory, "out");

const FILES: Files = { a: "A\n", "d/e": "E\n", dangling: { link: "nowhere" } };

for (const [what, lines, command, printed] of [
  [
    "COPY onto a link writes to what it leads to",
    "RUN mkdir /r && echo old > /r/f && ln -s r/f /l\nCOPY a /l",
    "readlink /l; cat /r/f",
    "r/f\nA",
  ],
  ["COPY onto a link to nothing makes what it names", "RUN ln -s /none/x /l\nCOPY a /l", "cat /none/x", "A"],
  [
    "COPY below a link to nothing makes the directory",
    "RUN ln -s none /l\nCOPY d /l\nCOPY a /l/sub/",
    "cat /none/e /none/sub/a",
    "E\nA",
  ],
  [
    "COPY gives the target the source directory's time",
    "RUN mkdir /t && touch -d @86400 /t\nCOPY --from=busybox /etc /t\nCOPY --from=busybox /etc /u",
    "test /t/passwd -ot /t || test $(stat -c %Y /t) = $(stat -c %Y /u) && echo same",
    "same",
  ],
  [
    "--chown passes over names that the image does not have",
    "COPY --chown=nope a /x\nCOPY --chown=nobody:nope a /y",
    "stat -c %u:%g /x /y",
    "0:0\n65534:65534",
  ],
] as const) {
  ways(what, async () => {
    const directory = kitchen.context({ ...FILES, Dockerfile: `FROM busybox\n${lines}\n` });
    const { error } = await kitchen.build(directory, { tags: ["ways"] });
    assert.is(error?.message, undefined);
    assert.is(await kitchen.run("ways", command), printed);
  });
}

for (const [what, lines, message] of [
  ["a directory onto a file", "COPY d /etc/passwd", "cannot copy to non-directory: /etc/passwd"],
  ["a file onto a directory", "COPY a /t/e/f\nCOPY d /t", "cannot replace to directory /t/e with file"],
  ["a pattern that matches a link to nothing", "COPY dang* /t/", /"\/dangling": not found/],
  ["a mount without a target", "RUN --mount=type=bind true", 'invalid mount target "/"'],
  [
    "a user who is not there",
    "USER nope\nRUN id",
    /^process ".*id" did not complete.*unable to find user nope/,
  ],
  ["a program that is not there", 'RUN ["nope"]', /^process "nope" did not complete.*not found in \$PATH/],
] as const) {
  ways(`${what} is refused`, async () => {
    const { error } = await kitchen.build(
      kitchen.context({ ...FILES, Dockerfile: `FROM busybox\n${lines}\n` }),
    );
    if (typeof message === "string") assert.is(error?.message, message);
    else assert.match(error?.message ?? "built", message);
  });
}

ways(".dockerignore: a pattern counts below a directory only where it was looked at there", async () => {
  const directory = kitchen.context({
    "d/f/g": "G",
    "x/y/z": "Z",
    ".dockerignore": "d/f\n!d\nx/y\n!x/y/z\nx/y\n",
    Dockerfile: "FROM busybox\nCOPY . /t/\n",
  });
  await kitchen.build(directory, { tags: ["ways"] });
  assert.is(await kitchen.run("ways", "cd /t && find d x"), "d\nx\nx/y\nx/y/z");
});

ways("a cache mount's source is a directory in the cache, and leads nowhere else", async () => {
  const mount = "RUN --mount=type=cache,id=sub,target=/c";
  const text = `FROM busybox
${mount} mkdir -p /c/in/deep && echo kept > /c/in/deep/f && ln -s /etc /c/out
${mount},source=in/deep cat /c/f > /f
${mount},source=out ls /c
`;
  const { error } = await kitchen.build(kitchen.context({ Dockerfile: text }));
  assert.match(error?.message ?? "built", /"\/out": not found in the cache mount sub/);
});

ways("a file of another stage is copied and mounted anew when its content changed", async () => {
  const seen: string[] = [];
  for (const text of ["one", "two"]) {
    const dockerfile = `FROM busybox AS a
RUN echo ${text} > /f
FROM busybox
COPY --from=a /f /copied
RUN --mount=from=a,source=/f,target=/m cat /m > /mounted
`;
    await kitchen.build(kitchen.context({ Dockerfile: dockerfile }), { tags: ["ways"] });
    seen.push(await kitchen.run("ways", "cat /copied /mounted"));
  }
  assert.equal(seen, ["one\none", "two\ntwo"]);
});

ways("stages may give the same layer at the same moment", async () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const stages = names.map((name) => `FROM busybox AS ${name}\nRUN : ${name}\nRUN :: ${name} || :\n`);
  const copies = names.map((name) => `COPY --from=${name} /etc/group /${name}\n`);
  const text = [...stages, "FROM busybox\n", ...copies].join("");
  const { error } = await kitchen.build(kitchen.context({ Dockerfile: text }), { noCache: true });
  assert.is(error?.message, undefined);
});

ways("layers that are equal may be stacked", async () => {
  const text = `FROM busybox
RUN true
RUN :
RUN touch -d @1 /root && echo x > /root/x && touch -d @1 /root/x /root
RUN rm /root/x && touch -d @1 /root
RUN echo x > /root/x && touch -d @1 /root/x /root
COPY --from=busybox /none* /
RUN cat /root/x > /seen
`;
  for (const noCache of [true, false]) {
    const { error } = await kitchen.build(kitchen.context({ Dockerfile: text }), { tags: ["ways"], noCache });
    assert.is(error?.message, undefined);
    assert.is(await kitchen.run("ways", "cat /seen /root/x"), "x\nx");
  }
});

ways("what a step writes to /etc/hostname is the image's; an empty HOME is none", async () => {
  const text = 'FROM busybox\nENV HOME=\nRUN echo mine > /etc/hostname && echo "[$HOME]" > /h\n';
  await kitchen.build(kitchen.context({ Dockerfile: text }), { outputs: [{ type: "local", dest: out() }] });
  assert.is(readFileSync(join(out(), "etc/hostname"), "utf8"), "mine\n");
  assert.is(readFileSync(join(out(), "h"), "utf8"), "[/root]\n");
});

ways("a named context takes the place of an image or stage that is built on", async () => {
  const named = kitchen.context({ f: "named\n" });
  const text =
    "FROM busybox AS st\nRUN exit 1\nFROM st AS other\nLABEL a=b\nFROM busybox\nCOPY --from=other /f /f\n";
  const { error } = await kitchen.build(kitchen.context({ Dockerfile: text }), {
    contexts: { st: named },
    tags: ["ways"],
  });
  assert.is(error?.message, undefined);
  assert.is(await kitchen.run("ways", "cat /f"), "named");
});

ways.run();
