import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Ignore } from "../../../src/build/ignore.ts";

const ignore = suite("build/ignore");

for (const [rules, path, ignored] of [
  ["node_modules", "node_modules/a/b.js", true],
  ["node_modules", "web/node_modules", false],
  ["**/node_modules", "web/node_modules/x", true],
  ["*.log", "a.log", true],
  ["*.log", "logs/a.log", false],
  ["**/*.log", "logs/deep/a.log", true],
  ["# no\n\n/dist/", "dist/x", true],
  ["docs\n!docs/readme.md", "docs/readme.md", false],
  ["docs\n!docs/readme.md", "docs/other.md", true],
  ["a?c", "abc", true],
  ["a?c", "a/c", false],
  ["[a-c].txt", "b.txt", true],
  ["*\n!src", "src/main.ts", false],
  ["\\!x", "!x", true],
] as const) {
  ignore(`${JSON.stringify(rules)} ${ignored ? "leaves out" : "keeps"} ${path}`, () => {
    assert.is(new Ignore(rules).ignores(path), ignored);
  });
}

ignore.run();
