import { AppError } from "../errors.ts";
import { nearest } from "../graph/walk.ts";

export type Found =
  | { readonly kind: "command"; readonly name: string; readonly argv: readonly string[] }
  | { readonly kind: "help"; readonly words: readonly string[] };

/** Flags that may stand before the command, by their letters; the value is the long form, `true` where it takes none. */
const SHORT: Readonly<Record<string, string>> = { f: "file", p: "project-name", H: "host" };
const WITH_VALUE = new Set([
  "file",
  "project-name",
  "project-directory",
  "env-file",
  "profile",
  "progress",
  "ansi",
  "parallel",
  "host",
]);
const WITHOUT_VALUE = new Set(["dry-run", "compatibility", "all-resources"]);

/**
 * Splits a command line at its command. Flags before it (`slipway -f a.yaml up`) are handed to the command in their
 * long form, because after the command a letter may mean something else (`logs -f`).
 *
 * @param names the known commands, words joined by one space
 * @throws {AppError} USAGE for an unknown flag before the command; COMMAND_UNKNOWN
 */
export function findCommand(argv: readonly string[], names: readonly string[]): Found {
  const globals: string[] = [];
  const rest = [...argv];
  while (rest[0]?.startsWith("-")) {
    const word = rest.shift()!;
    if (word === "--help" || word === "-h") return { kind: "help", words: wordsOf(rest) };
    if (word === "--version" || word === "-v")
      return { kind: "command", name: "version", argv: [...globals, "--short"] };
    globals.push(...readGlobal(word, rest));
  }
  if (rest.length === 0) return { kind: "help", words: [] };
  if (rest[0] === "help") return { kind: "help", words: wordsOf(rest.slice(1)) };
  const words = wordsOf(rest);
  for (let count = Math.min(words.length, 3); count > 0; count--) {
    const name = words.slice(0, count).join(" ");
    if (!names.includes(name)) continue;
    const own = rest.slice(count);
    // After `--` the words belong to a program in a container.
    const end = own.indexOf("--");
    const asked = own.slice(0, end < 0 ? undefined : end);
    if (asked[0] === "--help" || asked[0] === "-h") return { kind: "help", words: words.slice(0, count) };
    return { kind: "command", name, argv: [...globals, ...own] };
  }
  if (names.some((name) => name.startsWith(`${words[0]} `))) {
    if (words.length === 1) return { kind: "help", words };
    throw unknown(words.slice(0, 2).join(" "), names);
  }
  throw unknown(words[0] ?? rest[0]!, names);
}

function readGlobal(word: string, rest: string[]): readonly string[] {
  const [, long, assigned] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
  const letter = long === undefined ? word[1]! : undefined;
  const name = long ?? SHORT[letter!];
  if (name !== undefined && WITHOUT_VALUE.has(name)) return [`--${name}`];
  if (name === undefined || !WITH_VALUE.has(name)) {
    throw new AppError("USAGE", `unknown flag before the command: ${word}`, {
      hint: "Flags of a command come after it; `slipway --help` lists those that may come first.",
    });
  }
  const attached = long === undefined && word.length > 2 ? word.slice(2).replace(/^=/, "") : undefined;
  const value = assigned ?? attached ?? rest.shift();
  if (value === undefined) throw new AppError("USAGE", `${word} needs a value`, {});
  return [`--${name}`, value];
}

/** The words a command's name could be made of: up to the first flag. */
function wordsOf(argv: readonly string[]): readonly string[] {
  const end = argv.findIndex((word) => word.startsWith("-"));
  return argv.slice(0, end < 0 ? undefined : end);
}

function unknown(word: string, names: readonly string[]): AppError {
  const near = nearest(word, names);
  return new AppError(
    "COMMAND_UNKNOWN",
    `unknown command: ${word}${near ? `; did you mean "${near}"?` : ""}`,
    {
      hint: "`slipway --help` lists the commands.",
    },
  );
}
