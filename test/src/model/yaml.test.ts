import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { toYaml } from "../../../src/model/emit.ts";
import { type Node, toValue } from "../../../src/model/node.ts";
import { SourceText } from "../../../src/model/place.ts";
import { Problems } from "../../../src/model/problems.ts";
import { parseYaml } from "../../../src/model/yaml.ts";
import { parsePlainYaml } from "../../../src/model/yaml-plain.ts";

const yaml = suite("model: YAML");

const TEXTS = [
  "a: 1\nb:\n  c: x # comment\n  'd e': \"q\\n\"\n",
  "# first\n\na:\n- x\n- y: 1\n  z: 2\n-\n  - deep\n  - [1, {a: b, c: }]\nb:\n",
  "a: |\n  line\n\n    more\n  end\nb: >-\n  fold\n  ed\nc: |-\n  x\n",
  'a: [x, "y: z", {k: "v"},\n  3]\nb: {}\nc: []\n',
  "---\na: http://x:80/#y\nb: it's\nc: 'it''s'\nd: - not\n",
  "a:\n  b: x\n  c\n",
  "a: &x {k: v}\nb: *x\n",
  "a: 1\na: 2\n",
  "- a\n- b: c\n",
  "a:\n  []\nb:\n  'text'\n",
];

/** A node with its places, as text that can be compared. */
function shown(node: Node): unknown {
  const place = [node.at.start, node.at.end, node.key?.start, node.key?.end];
  if (node.kind === "scalar") return [String(node.value), node.source, ...place];
  return node.kind === "list"
    ? [node.items.map(shown), ...place]
    : [[...node.entries].map(([key, value]) => [key, shown(value)]), ...place];
}

for (const text of TEXTS) {
  yaml(
    `the quick reader agrees with the other one, or gives up: ${JSON.stringify(text.slice(0, 40))}`,
    () => {
      const file = new SourceText("x", text);
      const problems = new Problems();
      const whole = parseYaml(file, problems, false);
      const quick = parsePlainYaml(file);
      if (problems.errors.length > 0) assert.is(quick, undefined);
      else if (quick) assert.equal([shown(quick)], whole.map(shown));
    },
  );
}

yaml("any text that is cut off somewhere is read alike", () => {
  for (const text of TEXTS) {
    for (let length = 0; length < text.length; length++) {
      const file = new SourceText("x", text.slice(0, length));
      const quick = parsePlainYaml(file);
      if (!quick) continue;
      const problems = new Problems();
      assert.equal([shown(quick)], parseYaml(file, problems, false).map(shown), JSON.stringify(file.text));
      assert.is(problems.errors.length, 0, JSON.stringify(file.text));
    }
  }
});

for (const value of [
  "yes",
  "n",
  "0123",
  "1e3",
  "12:30",
  "2024-01-02",
  "~",
  "",
  " x",
  "x ",
  "a: b",
  "a #b",
  "a:",
  "- a",
  "-",
  "[a]",
  "{",
  "*a",
  "&a",
  "!a",
  "%a",
  "@a",
  "`a`",
  "'a'",
  '"a"',
  "a\tb",
  "a\nb",
  "a\n",
  "\na",
  "a\n\n",
  " a\nb",
  "a \nb",
  "ü",
  "a\u2028b",
  "$a",
  "#a",
  "a#b",
  "3.10",
  "true",
  "null",
  "0x1f",
  "/a/b:c",
  "1:2",
  "?",
  "? a",
  "<<",
  "=",
  "|",
  ">",
]) {
  yaml(`${JSON.stringify(value)} comes back as it was, from old and new parsers`, () => {
    const text = toYaml({ k: value, l: [value, { m: value }], [value]: 1 });
    for (const version of ["1.1", "1.2"] as const)
      assert.equal(
        parse(text, { version, schema: version === "1.1" ? "yaml-1.1" : "core", merge: false }),
        { k: value, l: [value, { m: value }], [value]: 1 },
        text,
      );
  });
}

for (const [what, text] of [
  [
    "an alias bomb",
    `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
      .split("")
      .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${"abcdefgh"[index]}`).join(",")}]`)
      .join("\n")}\n`,
  ],
  ["10 MB", `a: ${"x".repeat(10_000_000)}`],
  ["brackets a hundred thousand deep", `a: ${"[".repeat(100_000)}`],
  ["closed brackets, deep", `a: ${"[".repeat(900)}${"]".repeat(900)}`],
  ["lists a thousand deep", `a:\n${"- ".repeat(1000)}x`],
  ["blocks a thousand deep", Array.from({ length: 1500 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
] as const) {
  yaml(`${what} is refused`, () => {
    const problems = new Problems();
    parseYaml(new SourceText("x", text), problems);
    assert.ok(problems.errors.length > 0, "it is accepted");
  });
}

yaml("anchors, merge keys and numbers beyond 2^53", () => {
  const problems = new Problems();
  const [node] = parseYaml(
    new SourceText("x", "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{z: 1}, *a]}\nd: 9007199254740993"),
    problems,
  );
  assert.equal(toValue(node!), {
    a: { x: 1, y: 2 },
    b: { y: 3, x: 1 },
    c: { z: 1, x: 1, y: 2 },
    d: 9007199254740993n,
  });
});

yaml.run();
