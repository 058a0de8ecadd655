import { suite } from "uvu";
import * as assert from "uvu/assert";
import { environmentOf, expand } from "../../../../engine/builder/dockerfile/words.ts";
import { differences, outcome, vectors } from "../cases.ts";

const words = suite("engine/builder/dockerfile/words");

const environment = environmentOf(["A=x", "E=", "V=1.22.333", "P=/a/b/c"]);
for (const [source, expected] of [
  ["$A", "x"],
  ["${A}y", "xy"],
  ["${N:-d}", "d"],
  ["${E-d}", ""],
  ["${E:-d}", "d"],
  ["${A:+set}", "set"],
  ["${V%.*}", "1.22"],
  ["${V%%.*}", "1"],
  ["${P##*/}", "c"],
  ["${P//\\//-}", "-a-b-c"],
  ["'$A'", "$A"],
  ['"$A \\$A"', "x $A"],
  ["\\$A", "$A"],
  ["a$.b", "a$.b"],
  ["$$", ""],
] as const) {
  words(`${source} is ${JSON.stringify(expected)}`, () =>
    assert.is(expand(source, environment).text, expected),
  );
}

for (const [source, message] of [
  ["'a", "looking for matching single-quote"],
  ["${A:=b}", "unsupported modifier (:=)"],
  ["${N?need it}", "N: need it"],
  ["${}", "bad substitution"],
] as const) {
  words(`${source} is refused`, () => assert.throws(() => expand(source, environment), message));
}

words("words are split after expansion, except where they are quoted", () => {
  const spaced = environmentOf(["S=a b"]);
  assert.equal(expand('$S "$S" c', spaced).words, ["a", "b", "a b", "c"]);
});

words("agrees with BuildKit's lexer", () => {
  interface Case {
    readonly env: readonly string[] | null;
    readonly escape: string;
    readonly in: string;
    readonly word?: string;
    readonly words?: readonly string[] | null;
    readonly error?: string;
    readonly unmatched?: readonly string[];
  }
  const cases = vectors<readonly Case[]>("shell");
  if (cases === undefined) return;
  const report = differences(cases, (each) => {
    // BuildKit's splitter forgets what stood before a `${name-word}` ("80${X-80}" gives the word "80"): a slip that
    // is not copied.
    const comparable = !/\$\{\w+[:+\-?#%/]/u.test(each.in);
    const expected =
      each.error === undefined
        ? { word: each.word, words: comparable ? (each.words ?? []) : [], unmatched: each.unmatched ?? [] }
        : { error: each.error };
    const got = outcome(() => {
      const made = expand(each.in, environmentOf(each.env ?? []), { escape: each.escape });
      return { word: made.text, words: comparable ? made.words : [], unmatched: [...made.unmatched].sort() };
    });
    const [a, b] = [JSON.stringify("value" in got ? got.value : got), JSON.stringify(expected)];
    return a === b ? undefined : `${JSON.stringify(each.in)}: ${a}, expected ${b}`;
  });
  assert.is(report, "");
});

words.run();
