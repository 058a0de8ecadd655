/** How the text behind an instruction's name is cut into flags and words. Quotes and escapes stay for expansion. */
import { DockerfileError, type Position } from "./position.ts";
import { isSpace, quote } from "./text.ts";

export interface Word {
  readonly value: string;
  readonly offset: number; // in the joined line
  readonly at: Position;
}

type Unplaced = Omit<Word, "at">;

/**
 * Takes the flags in front: words that begin with `--` outside of quotes. `--` alone ends them.
 *
 * @param from where to begin in `text`
 * @returns the flags with quotes and escapes carried out, and where the rest begins
 */
export function splitFlags(
  text: string,
  from: number,
): { readonly flags: readonly Unplaced[]; readonly rest: number } {
  const flags: Unplaced[] = [];
  let at = from;
  for (;;) {
    while (at < text.length && isSpace(text[at]!)) at++;
    if (!text.startsWith("--", at)) return { flags, rest: at };
    const start = at;
    let value = "";
    for (let quoteMark = ""; at < text.length; at++) {
      const character = text[at]!;
      if (quoteMark === "" && isSpace(character)) break;
      if (quoteMark === "" && (character === "'" || character === '"')) quoteMark = character;
      else if (character === quoteMark) quoteMark = "";
      else if (character === "\\") {
        if (at + 1 < text.length) value += text[++at];
      } else value += character;
    }
    if (value === "--") return { flags, rest: at };
    flags.push({ value, offset: start });
  }
}

/** Words between blanks; quotes mean nothing. */
export function splitSpaces(rest: string, at: number): Unplaced[] {
  return [...rest.matchAll(/[^\t\v\f\r ]+/g)].map((match) => ({ value: match[0], offset: at + match.index }));
}

/** `name=value …` as ENV, LABEL and ARG have it. */
export interface Pairs {
  readonly words: readonly Unplaced[];
  /** Flat: name, value, and "=" or, for the old form `NAME the rest of the line`, "". */
  pairs(): Unplaced[];
}

export function splitPairs(rest: string, at: number, escapeToken: string, instruction: string): Pairs {
  const words = shellWords(rest, at, escapeToken);
  return { words, pairs: () => pairsOf(words, rest, at, instruction) };
}

function pairsOf(words: readonly Unplaced[], rest: string, at: number, instruction: string): Unplaced[] {
  if (words.length === 0) return [];
  if (!words[0]!.value.includes("=")) {
    const gap = /[\t\v\f\r ]+/.exec(rest);
    if (gap === null) throw new DockerfileError(`${instruction} must have two arguments`);
    const valueAt = gap.index + gap[0].length;
    return [
      { value: rest.slice(0, gap.index), offset: at },
      { value: rest.slice(valueAt), offset: at + valueAt },
      { value: "", offset: at + gap.index },
    ];
  }
  return words.flatMap(({ value, offset }) => {
    const equals = value.indexOf("=");
    if (equals < 0) {
      throw new DockerfileError(
        `Syntax error - can't find = in ${quote(value)}. Must be of the form: name=value`,
      );
    }
    return [
      { value: value.slice(0, equals), offset },
      { value: value.slice(equals + 1), offset: offset + equals + 1 },
      { value: "=", offset: offset + equals },
    ];
  });
}

/** Words between blanks that are neither quoted nor escaped; quotes and escapes stay in them. */
function shellWords(rest: string, base: number, escapeToken: string): Unplaced[] {
  const words: Unplaced[] = [];
  let at = 0;
  while (at < rest.length) {
    if (isSpace(rest[at]!)) {
      at++;
      continue;
    }
    const start = at;
    let value = "";
    for (let quoteMark = ""; at < rest.length; at++) {
      const character = rest[at]!;
      if (quoteMark === "" && isSpace(character)) break;
      // An escape at the very end is dropped; anywhere else it shields the next character. In '…' it is nothing.
      if (character === escapeToken && quoteMark !== "'") {
        if (at + 1 < rest.length) value += character + rest[++at];
        continue;
      }
      if (quoteMark === "" && (character === "'" || character === '"')) quoteMark = character;
      else if (character === quoteMark) quoteMark = "";
      value += character;
    }
    words.push({ value, offset: base + start });
  }
  return words;
}
