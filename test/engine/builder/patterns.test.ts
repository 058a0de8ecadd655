import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseChmod } from "../../../engine/builder/chmod.ts";
import { parsePorts } from "../../../engine/builder/dockerfile/expose.ts";
import { expand, NO_ENVIRONMENT } from "../../../engine/builder/dockerfile/words.ts";
import { parseGitReference } from "../../../engine/builder/giturl.ts";
import { IgnoreMatcher, readIgnoreFile } from "../../../engine/builder/ignore.ts";
import { compileName, matchName } from "../../../engine/builder/match.ts";
import { differences, outcome, vectors } from "./cases.ts";

const patterns = suite("engine/builder/patterns");

patterns("a file's patterns are cleaned", () => {
  assert.equal(readIgnoreFile("# a\n/b/\n !c \n\n./d//e\n"), ["b", "!c", "d/e"]);
});

for (const [list, path, hidden] of [
  [["a"], "a", true],
  [["a"], "b/a", false],
  [["a"], "a/b", true],
  [["**/a"], "b/a", true],
  [["*", "!keep"], "keep/x", false],
  [["*.md", "!README.md"], "README.md", false],
] as const) {
  patterns(`${list.join(" ")} ${hidden ? "hides" : "shows"} ${path}`, () => {
    assert.is(new IgnoreMatcher(list).ignores(path), hidden);
  });
}

patterns("a hidden directory is looked into only where a later pattern may show something", () => {
  const matcher = new IgnoreMatcher(["*", "!src/lib", "!docs/**/*.md"]);
  const seen = ["src", "src/lib", "docs", "docs/a", "node_modules"].filter((path) =>
    matcher.mayShowBelow(path),
  );
  assert.equal(seen, ["src", "src/lib", "docs", "docs/a"]);
});

patterns("agrees with Go's filepath.Match", () => {
  const cases =
    vectors<readonly { pattern: string; name: string; match: boolean; error?: string }[]>("filepath-match");
  if (cases === undefined) return;
  const report = differences(cases, (each) => {
    const got = outcome(() => matchName(compileName(each.pattern), each.name));
    const expected = each.error === undefined ? { value: each.match } : { error: each.error };
    const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
    return a === b ? undefined : `${each.pattern} on ${each.name}: ${a}, expected ${b}`;
  });
  assert.is(report, "");
});

patterns("agrees with BuildKit's patternmatcher", () => {
  interface Cases {
    readonly files: readonly { file: string; patterns: readonly string[] | null }[];
    readonly match: readonly {
      patterns: readonly string[];
      path: string;
      ignored?: boolean;
      error?: string;
    }[];
  }
  const cases = vectors<Cases>("dockerignore");
  if (cases === undefined) return;
  for (const { file, patterns: expected } of cases.files) assert.equal(readIgnoreFile(file), expected ?? []);
  const report = differences(
    cases.match,
    (each) => {
      const got = outcome(() => new IgnoreMatcher(each.patterns).ignores(each.path));
      const expected = each.error === undefined ? { value: each.ignored } : { error: each.error };
      const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
      return a === b ? undefined : `${JSON.stringify(each.patterns)} on ${each.path}: ${a}, expected ${b}`;
    },
    30,
  );
  assert.is(report, "");
});

patterns("EXPOSE agrees with BuildKit", () => {
  const cases =
    vectors<readonly { in: string; ports?: readonly string[] | null; error?: string }[]>("expose");
  if (cases === undefined) return;
  const report = differences(cases, (each) => {
    if (each.in === "") return undefined; // Not a word at all: instructions.ts refuses it.
    const got = outcome(() => {
      const words = each.in.split(" ").filter((word) => word !== "");
      return words.flatMap((word) => expand(word, NO_ENVIRONMENT).words).flatMap(parsePorts);
    });
    const expected = each.error === undefined ? { value: each.ports ?? [] } : { error: each.error };
    const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
    return a === b ? undefined : `${each.in}: ${a}, expected ${b}`;
  });
  assert.is(report, "");
});

patterns("git references agree with BuildKit", () => {
  interface Case {
    readonly in: string;
    readonly isGit: boolean;
    readonly error?: string;
    readonly ref?: Record<string, unknown>;
  }
  const cases = vectors<readonly Case[]>("giturl");
  if (cases === undefined) return;
  const report = differences(cases, (each) => {
    const got = outcome(() => parseGitReference(each.in));
    const expected = each.isGit ? (each.error ?? each.ref) : undefined;
    const result =
      "error" in got
        ? got.error
        : got.value && {
            Remote: got.value.remote,
            ShortName: got.value.shortName,
            Ref: got.value.ref,
            Checksum: got.value.checksum,
            SubDir: got.value.subdirectory,
            IndistinguishableFromLocal: got.value.ambiguous,
            UnencryptedTCP: /^(http|git):/.test(got.value.remote),
            KeepGitDir: got.value.keepGitDirectory ?? null,
            Submodules: got.value.submodules ?? null,
            MTime: got.value.mtime,
            FetchByCommit: got.value.fetchByCommit,
          };
    const [a, b] = [JSON.stringify(result), JSON.stringify(expected)];
    return a === b ? undefined : `${each.in}: ${a}, expected ${b}`;
  });
  assert.is(report, "");
});

patterns("--chmod takes what BuildKit takes", () => {
  const cases = vectors<readonly { in: string; octal?: string; apply?: object; error?: string }[]>("chmod");
  if (cases === undefined) return;
  const report = differences(cases, (each) => {
    const got = outcome(() => parseChmod(each.in));
    const good =
      each.error !== undefined
        ? "error" in got
        : "value" in got && (each.octal === undefined || got.value === Number.parseInt(each.octal, 8));
    return good ? undefined : `${each.in}: ${JSON.stringify(got)}`;
  });
  assert.is(report, "");
});

patterns.run();
