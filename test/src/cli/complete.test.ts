import { suite } from "uvu";
import * as assert from "uvu/assert";
import { complete } from "../../../src/cli/complete.ts";

const completion = suite("cli/complete");

for (const [line, expected] of [
  ["pu", ["pull", "push"]],
  ["network c", ["create", "connect"]],
  ["up --wa", ["--wait", "--wait-timeout", "--watch"]],
  ["logs w", ["web", "worker"]],
  ["-f a.yaml exec wo", ["worker"]],
  ["up --pull ", ["always", "missing", "never"]],
  ["--progress", ["--progress"]],
  ["version w", []],
] as const) {
  completion(`"${line}" may go on with ${expected.join(", ") || "nothing"}`, async () => {
    assert.equal(await complete(line.split(" "), async () => ["web", "worker", "db"]), [...expected]);
  });
}

completion.run();
