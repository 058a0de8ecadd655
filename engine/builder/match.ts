/** Go's path/filepath.Match: `*`, `?`, `[a-z]`, `[^a]`, `\` escapes, within one path component. */
import { EngineError } from "../errors.ts";

export type NamePattern = readonly Token[];

type Token =
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "literal"; readonly character: string }
  | {
      readonly kind: "class";
      readonly negated: boolean;
      readonly ranges: readonly (readonly [low: number, high: number])[];
    };

/** @throws {EngineError} invalid, in Go's words, for an open class, an empty range or an escape at the end */
export function compileName(pattern: string): NamePattern {
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "any" });
    else if (character === "[") {
      const { token, end } = readClass(characters, at + 1);
      tokens.push(token);
      at = end;
    } else if (character === "\\") {
      if (++at >= characters.length) throw badPattern();
      tokens.push({ kind: "literal", character: characters[at]! });
    } else tokens.push({ kind: "literal", character });
  }
  return tokens;
}

export function matchName(pattern: NamePattern, name: string): boolean {
  const characters = [...name];
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  for (;;) {
    const wanted = pattern[token];
    if (wanted?.kind === "star") {
      star = token++;
      starAt = at;
    } else if (wanted !== undefined && at < characters.length && matches(wanted, characters[at]!)) {
      token++;
      at++;
    } else if (wanted === undefined && at === characters.length) return true;
    else {
      // The last star takes one more, as far as the component goes.
      if (star < 0 || starAt >= characters.length || characters[starAt] === "/") return false;
      at = ++starAt;
      token = star + 1;
    }
  }
}

/** Whether a text holds anything that Match would not take literally. */
export function hasWildcard(text: string): boolean {
  return /^(?:[^\\]|\\[\s\S])*?[*?[]/.test(text);
}

function matches(token: Exclude<Token, { kind: "star" }>, character: string): boolean {
  switch (token.kind) {
    case "any":
      return character !== "/";
    case "literal":
      return token.character === character;
    case "class": {
      const code = character.codePointAt(0)!;
      return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated;
    }
  }
}

function readClass(
  characters: readonly string[],
  start: number,
): { readonly token: Token; readonly end: number } {
  let at = start;
  const negated = characters[at] === "^";
  if (negated) at++;
  const ranges: (readonly [number, number])[] = [];
  const take = (): number => {
    let character = characters[at++];
    if (character === undefined || character === "-" || character === "]") throw badPattern();
    if (character === "\\") character = characters[at++];
    // A class must close behind every character of it.
    if (character === undefined || at >= characters.length) throw badPattern();
    return character.codePointAt(0)!;
  };
  while (characters[at] !== "]" || ranges.length === 0) {
    const low = take();
    let high = low;
    if (characters[at] === "-") {
      at++;
      high = take();
    }
    ranges.push([low, high]);
  }
  return { token: { kind: "class", negated, ranges }, end: at };
}

function badPattern(): EngineError {
  return new EngineError("invalid", "syntax error in pattern");
}
