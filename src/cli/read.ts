/** Reads well-formed command lines, which is all that a start needs; mistakes are left to those who explain them. */
import type { Command } from "@oclif/core/command";
import { parseInteger } from "./flags.ts";

export type FlagDefinitions = NonNullable<Command.Class["flags"]>;
export type ArgDefinitions = NonNullable<Command.Class["args"]>;

type FlagDefinition = FlagDefinitions[string];
type Environment = Readonly<Record<string, string | undefined>>;

export interface Definitions {
  readonly flags: FlagDefinitions;
  readonly args: ArgDefinitions;
  /** False: more words than arguments may follow. */
  readonly strict: boolean;
}

export interface Words {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly args: Readonly<Record<string, unknown>>;
  /** What is no flag, in its order. */
  readonly words: readonly string[];
}

/**
 * Reads a command line as oclif's parser does; a test holds them equal.
 *
 * @returns undefined for whatever is wrong or unusual
 */
export function readWords(
  argv: readonly string[],
  definitions: Definitions,
  env: Environment,
): Words | undefined {
  const split = splitWords(argv, definitions.flags);
  if (split === undefined) return undefined;
  const flags = valuesOf(split.given, definitions.flags, env);
  const args = argsOf(split.words, definitions);
  return flags && args && { flags, args, words: split.words };
}

/** Which flags are given, with their texts; of a flag without a value its own word. */
function splitWords(
  argv: readonly string[],
  flags: FlagDefinitions,
): { readonly given: ReadonlyMap<string, readonly string[]>; readonly words: readonly string[] } | undefined {
  const given = new Map<string, string[]>();
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === "--") return { given, words: [...words, ...argv.slice(at + 1)] };
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
      continue;
    }
    const found = findFlag(word, flags);
    if (found === undefined) return undefined;
    const { name, flag, attached, rest } = found;
    if (flag.type === "boolean") {
      given.set(name, [word]);
      // Letters may be joined: `-it` is `-i -t`.
      if (rest !== "") argv = [...argv.slice(0, at + 1), `-${rest}`, ...argv.slice(at + 1)];
      continue;
    }
    const text = attached ?? argv[++at];
    // What looks like a flag is one, or a mistake.
    if (text === undefined || (text.startsWith("-") && text !== "-")) return undefined;
    given.set(name, [...(given.get(name) ?? []), text]);
  }
  return { given, words };
}

interface FoundFlag {
  readonly name: string;
  readonly flag: FlagDefinition;
  /** The value in the same word. */
  readonly attached: string | undefined;
  /** Letters after that of a flag without a value. */
  readonly rest: string;
}

function findFlag(word: string, flags: FlagDefinitions): FoundFlag | undefined {
  if (!word.startsWith("--")) {
    const [name, flag] = Object.entries(flags).find(([, { char }]) => char === word[1]) ?? [];
    if (name === undefined || flag === undefined) return undefined;
    const rest = word.slice(2);
    if (flag.type === "boolean") return { name, flag, attached: undefined, rest };
    return { name, flag, attached: rest === "" ? undefined : rest.replace(/^=/, ""), rest: "" };
  }
  const equals = word.indexOf("=");
  const long = word.slice(2, equals < 0 ? undefined : equals);
  const name = Object.hasOwn(flags, long) ? long : byAlias(long, flags);
  const flag = flags[name];
  if (flag !== undefined) {
    const attached = equals < 0 ? undefined : word.slice(equals + 1);
    return attached !== undefined && flag.type === "boolean" ? undefined : { name, flag, attached, rest: "" };
  }
  const positive = word.slice("--no-".length);
  const negated = word.startsWith("--no-") && Object.hasOwn(flags, positive) ? flags[positive] : undefined;
  if (negated?.type !== "boolean" || !negated.allowNo) return undefined;
  return { name: positive, flag: negated, attached: undefined, rest: "" };
}

function byAlias(alias: string, flags: FlagDefinitions): string {
  return Object.keys(flags).find((name) => flags[name]!.aliases?.includes(alias)) ?? "";
}

function valuesOf(
  given: ReadonlyMap<string, readonly string[]>,
  flags: FlagDefinitions,
  env: Environment,
): Record<string, unknown> | undefined {
  const values: Record<string, unknown> = {};
  const asked = new Set<string>();
  for (const [name, flag] of Object.entries(flags)) {
    const preset = flag.env === undefined ? "" : (env[flag.env] ?? "");
    const texts = given.get(name) ?? (flag.type === "option" && preset !== "" ? [preset] : undefined);
    const value = texts === undefined ? flag.default : readValue(name, flag, texts);
    if (value === REFUSED || isUnusual(flag, preset)) return undefined;
    if (value === undefined) continue;
    values[name] = value;
    if (texts !== undefined) asked.add(name);
  }
  for (const name of Object.keys(values)) {
    const { exclusive = [], dependsOn = [] } = flags[name]!;
    if (asked.has(name) && exclusive.some((other) => asked.has(String(other)))) return undefined;
    if (dependsOn.some((other) => values[String(other)] === undefined)) return undefined;
  }
  return values;
}

const REFUSED = Symbol("refused");

/** Has something that no command here uses. */
function isUnusual(flag: FlagDefinition, preset: string): boolean {
  return (
    typeof flag.default === "function" ||
    flag.required === true ||
    (flag.type === "boolean" && preset !== "") ||
    (flag.type === "option" && flag.multiple === true && flag.multipleNonGreedy !== true) ||
    UNUSUAL.some((key) => (flag as unknown as Readonly<Record<string, unknown>>)[key] !== undefined)
  );
}

const UNUSUAL = [
  ...["charAliases", "deprecated", "allowStdin", "defaultHelp"],
  ...["relationships", "combinable", "exactlyOne", "atLeastOne"],
];

function readValue(name: string, flag: FlagDefinition, texts: readonly string[]): unknown {
  if (flag.type === "boolean") return texts[0] !== `--no-${name}`;
  if (!flag.multiple && texts.length > 1) return REFUSED;
  const { options, delimiter } = flag;
  if (delimiter !== undefined) return REFUSED;
  if (options !== undefined && texts.some((text) => !options.includes(text))) return REFUSED;
  if (flag.multiple) return flag.parse === (parseInteger as unknown) ? REFUSED : texts;
  const [text = ""] = texts;
  return flag.parse === (parseInteger as unknown) ? integerOf(text, flag as Bounds) : text;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

function integerOf(text: string, { min, max }: Bounds): number | typeof REFUSED {
  const number = /^-?\d+$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
  return number >= (min ?? number) && number <= (max ?? number) ? number : REFUSED;
}

function argsOf(
  words: readonly string[],
  { args, strict }: Definitions,
): Record<string, unknown> | undefined {
  const values: Record<string, unknown> = {};
  const entries = Object.entries(args);
  const [last, lastArg] = entries.at(-1) ?? [];
  if (strict && lastArg?.multiple !== true && words.length > entries.length) return undefined;
  for (const [index, [name, arg]] of entries.entries()) {
    const word = words[index];
    if (arg.multiple === true && name !== last) return undefined;
    if (arg.options !== undefined || arg.default !== undefined || arg.ignoreStdin !== true) return undefined;
    if (word === undefined) {
      if (arg.required === true) return undefined;
      continue;
    }
    const value = arg.parse === (parseInteger as unknown) ? integerOf(word, arg as unknown as Bounds) : word;
    if (value === REFUSED) return undefined;
    values[name] = arg.multiple === true ? words.slice(index) : value;
  }
  return values;
}
