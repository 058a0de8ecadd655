import { parse } from "@oclif/core/parser";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { globalFlags, type SlipwayCommand } from "../../../src/cli/base.ts";
import { endFlagsAtFirstWord, yieldLetters } from "../../../src/cli/parse.ts";
import { type FlagDefinitions, readWords, type Words } from "../../../src/cli/read.ts";
import { COMMANDS } from "../../../src/cli/table.ts";

const read = suite("cli/read");

type Definition = typeof SlipwayCommand;

function flagsOf({ flags }: Definition): FlagDefinitions {
  return { ...yieldLetters(globalFlags, flags), ...flags };
}

/** What oclif makes of it; undefined for a mistake. */
async function byOclif(argv: readonly string[], command: Definition): Promise<Words | undefined> {
  try {
    const { strict, args } = command;
    const { flags, args: values, raw } = await parse([...argv], { flags: flagsOf(command), args, strict });
    const words = raw.flatMap((token) => (token.type === "arg" ? [token.input] : []));
    return { flags, args: values, words };
  } catch {
    return undefined;
  }
}

function byOurs(argv: readonly string[], command: Definition): Words | undefined {
  const { strict, args } = command;
  return readWords(argv, { flags: flagsOf(command), args, strict }, process.env);
}

/** Words that mean something to this command, and some that never do. */
function vocabulary(command: Definition): string[] {
  const values = ["a", "b=c", "7", "-1", "-", "--", "", "--none", "-?", "always", "json", "--no-", "-a-b"];
  const own = Object.entries(flagsOf(command)).flatMap(([name, flag]) => {
    const options = flag.type === "option" ? (flag.options ?? []) : [];
    const letter = flag.char === undefined ? [] : [`-${flag.char}`, `-${flag.char}x`, `-${flag.char}=x`];
    const aliases = (flag.aliases ?? []).map((alias) => `--${alias}`);
    return [...aliases, `--${name}`, `--${name}=1`, `--${name}=-f`, `--no-${name}`, ...letter, ...options];
  });
  return [...values, ...own];
}

/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

for (const [index, [name, load]] of Object.entries(COMMANDS).entries()) {
  read(`${name}: what we read, oclif reads the same way`, async () => {
    const command = (await load()) as unknown as Definition;
    const words = vocabulary(command);
    const next = numbers(index + 1);
    for (let round = 0; round < 150; round++) {
      const line = Array.from({ length: next(5) }, () => words[next(words.length)]!);
      const argv = command.passThrough ? endFlagsAtFirstWord(line, flagsOf(command)) : line;
      const ours = byOurs(argv, command);
      if (ours === undefined) continue;
      assert.equal(ours, await byOclif(argv, command), JSON.stringify(argv));
    }
  });

  read(`${name}: its examples need no oclif`, async () => {
    const command = (await load()) as unknown as Definition;
    for (const example of command.examples) {
      const [, line = ""] = /^(?:\S+ \| )?slipway ([^|<>&;$]*)$/.exec(example) ?? [];
      const all = line.split(" ").filter((word) => word !== "");
      const at = all.join(" ").indexOf(name);
      if (at !== 0 || /['"]/.test(line) || name === "image bootstrap") continue;
      const argv = all.slice(name.split(" ").length);
      const own = command.passThrough ? endFlagsAtFirstWord(argv, flagsOf(command)) : argv;
      assert.ok(byOurs(own, command), example);
    }
  });
}

read("a variable stands in for a flag, within the flag's values", () => {
  const flags = flagsOf({ flags: {} } as unknown as Definition);
  const of = (env: Readonly<Record<string, string>>): unknown =>
    readWords([], { flags, args: {}, strict: true }, env)?.flags;
  assert.equal(of({}), { progress: "auto", ansi: "auto" });
  assert.equal(of({ COMPOSE_PROGRESS: "json", COMPOSE_PARALLEL_LIMIT: "3" }), {
    progress: "json",
    ansi: "auto",
    parallel: 3,
  });
  assert.is(of({ COMPOSE_PROGRESS: "loud" }), undefined);
  assert.is(of({ COMPOSE_PARALLEL_LIMIT: "-2" }), undefined);
});

read.run();
