import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DetachScanner, parseDetachKeys } from "../../../engine/containers/detach-keys.ts";

const keys = suite("engine/containers/detach-keys");

for (const [text, bytes] of [
  ["", [16, 17]],
  ["ctrl-p,ctrl-q", [16, 17]],
  ["a,ctrl-@,ctrl-[", [97, 0, 27]],
] as const) {
  keys(`"${text}" is ${bytes}`, () => assert.equal([...parseDetachKeys(text)], [...bytes]));
}

keys("a key that is none is refused", () => {
  for (const text of ["ctrl-", "ctrl-A", "ab", "a,,b"])
    assert.throws(() => parseDetachKeys(text), /Unknown character/);
});

for (const [chunks, passed, detached] of [
  [["abc"], "abc", false],
  [["a\x10\x11b"], "a", true],
  [["a\x10", "\x11b"], "a", true],
  [["\x10", "x"], "\x10x", false],
  [["\x10\x10\x11"], "\x10", true],
  [["\x11\x10x\x10\x11"], "\x11\x10x", true],
] as const) {
  keys(`${JSON.stringify(chunks)} passes ${JSON.stringify(passed)}${detached ? " and lets go" : ""}`, () => {
    const scanner = new DetachScanner(parseDetachKeys(""));
    const results = chunks.map((chunk) => scanner.scan(Buffer.from(chunk)));
    assert.is(Buffer.concat(results.map(({ pass }) => pass)).toString(), passed);
    assert.is(results.at(-1)?.detached, detached);
  });
}

keys.run();
