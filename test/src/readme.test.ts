import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FAILURES } from "../../src/errors.ts";

const readme = suite("README");

readme("lists every error code, in the row of its exit status", () => {
  const text = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const listed: Record<string, number> = {};
  for (const [, status, codes] of text.matchAll(/^\| (\d+) \| (.*) \|$/gm)) {
    for (const [, code] of (codes ?? "").matchAll(/`(\w+)`/g)) listed[code ?? ""] = Number(status);
  }
  assert.equal(Object.entries(listed).sort(), Object.entries(FAILURES).sort());
});

readme.run();
