import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readFlags } from "../../../../engine/builder/dockerfile/flags.ts";
import { readInstructions } from "../../../../engine/builder/dockerfile/instructions.ts";
import { type Mount, parseMount } from "../../../../engine/builder/dockerfile/mounts.ts";
import { parse } from "../../../../engine/builder/dockerfile/parse.ts";
import { differences, outcome, vectors } from "../cases.ts";

const mounts = suite("engine/builder/dockerfile/mounts");

mounts("agrees with BuildKit's front end", () => {
  interface Case {
    readonly in: string;
    readonly mounts?: readonly object[];
    readonly error?: string;
  }
  const cases = vectors<readonly Case[]>("mounts");
  if (cases === undefined) return;
  const report = differences(cases, (each) => {
    const got = outcome(() => {
      const file = parse(`FROM a\nRUN ${each.in} x\n`);
      readInstructions(file);
      return readFlags(file.nodes[1]!.flags, { mount: "list" }).mount.map((text) => wire(parseMount(text)));
    });
    const result =
      "value" in got
        ? { mounts: got.value }
        : { error: got.error.replace(/^dockerfile parse error on line 2: /, "") };
    const expected = each.error === undefined ? { mounts: each.mounts } : { error: each.error };
    const [a, b] = [JSON.stringify(result), JSON.stringify(expected)];
    return a === b ? undefined : `${each.in}: ${a}, expected ${b}`;
  });
  assert.is(report, "");
});

/** Go's field names, in its order, empty ones left out. */
function wire(mount: Mount): object {
  const all = {
    CacheID: mount.id,
    CacheSharing: mount.sharing,
    Env: mount.env,
    From: mount.from,
    GID: mount.gid,
    Mode: mount.mode,
    ReadOnly: mount.readonly,
    Required: mount.required,
    SizeLimit: mount.size,
    Source: mount.source,
    Target: mount.target,
    Type: mount.type,
    UID: mount.uid,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== "" && value !== false && value !== undefined),
  );
}

mounts.run();
