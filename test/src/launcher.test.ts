/** The launcher that npm links to: one script, which is what it is called. */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { must } from "../helpers/command.ts";

const launcher = suite("src/slipway.sh");
const script = join(import.meta.dirname, "../../src/slipway.sh");
const folder = mkdtempSync(join(tmpdir(), "slipway-launcher-"));
launcher.after(() => rmSync(folder, { recursive: true }));

for (const [name, args, expected] of [
  ["slipway", ["version", "--short"], /^\d+\.\d+\.\d+\n$/],
  ["slipway-runtime", ["--version"], /^slipway-runtime version /],
] as const) {
  launcher(`as ${name} it starts that`, async () => {
    const link = join(folder, name);
    symlinkSync(script, link);
    assert.match(await must([link, ...args]), expected);
  });
}

launcher.run();
