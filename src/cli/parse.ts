import { AppError } from "../errors.ts";
import { nearest } from "../graph/walk.ts";
import type { FlagDefinitions } from "./read.ts";

type Flags = FlagDefinitions;

/** The global flags with their letters taken away where a command uses a letter for its own. */
export function yieldLetters<T extends Flags>(globals: T, own: Flags): T {
  const taken = new Set(Object.values(own).map((flag) => flag.char));
  return Object.fromEntries(
    Object.entries(globals)
      .filter(([name]) => !(name in own))
      .map(([name, flag]) => [name, taken.has(flag.char) ? { ...flag, char: undefined } : { ...flag }]),
  ) as T;
}

/**
 * Ends the flags at the first word, as for `exec web ls -l`: from there on everything is an argument.
 *
 * @returns `argv` with `--` before its first word
 */
export function endFlagsAtFirstWord(argv: readonly string[], flags: Flags): string[] {
  const byLetter = new Map(Object.values(flags).map((flag) => [flag.char as string | undefined, flag]));
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === "--") return [...argv];
    if (!word.startsWith("-") || word === "-") return [...argv.slice(0, index), "--", ...argv.slice(index)];
    if (word.startsWith("--")) {
      if (!word.includes("=") && flags[word.slice(2)]?.type === "option") index += 1;
      continue;
    }
    // Letters may be joined (`-it`); the last may take the next word as its value.
    for (let at = 1; at < word.length; at++) {
      if (byLetter.get(word[at])?.type !== "option") continue;
      if (at === word.length - 1) index += 1;
      break;
    }
  }
  return [...argv];
}

/** oclif's complaint about an argument, in our words: USAGE, with the likely flag. */
export function usageError(error: Error, command: string, flags: Flags): AppError {
  const [line = ""] = error.message.split("\n").filter((text) => text.trim() !== "");
  const unknown = /^Nonexistent flags?: (\S+?),?(?:\s|$)/.exec(line)?.[1];
  const hint = `\`slipway ${command} --help\` shows what it takes.`;
  if (unknown !== undefined) {
    const near = nearest(unknown.replace(/^-+/, "").replace(/=.*/s, ""), Object.keys(flags));
    return new AppError("USAGE", `unknown flag: ${unknown}${near ? `; did you mean --${near}?` : ""}`, {
      hint,
    });
  }
  const missing = /^Missing \d+ required args?/.exec(line);
  if (missing) {
    const names = [...error.message.matchAll(/^(\S+)(?:\s{2,}|$)/gm)].map(([, name]) => name!.toUpperCase());
    return new AppError("USAGE", `missing: ${names.join(" ") || "an argument"}`, { hint });
  }
  const parsing = /^Parsing --(\S+)/.exec(line);
  if (parsing) {
    const reason = error.message.split("\n")[1]?.trim() ?? "";
    return new AppError("USAGE", `--${parsing[1]}: ${reason}`, { hint });
  }
  return new AppError("USAGE", line.charAt(0).toLowerCase() + line.slice(1), { hint });
}
