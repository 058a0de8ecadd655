import { DockerfileError } from "./position.ts";

/** `${value#pattern}`, and `##` where greedy. */
export function trimPrefix(pattern: string, value: string, greedy: boolean): string {
  const match = compile(pattern, greedy, true, pattern).exec(value);
  return match === null ? value : value.slice(match[0].length);
}

/** `${value%pattern}`, and `%%` where greedy. Text and pattern are reversed, because a search goes from the left. */
export function trimSuffix(pattern: string, value: string, greedy: boolean): string {
  const reversed = reverse(value);
  const match = compile(reversePattern(pattern), greedy, true, pattern).exec(reversed);
  return match === null ? value : reverse(reversed.slice(match[0].length));
}

/** `${value/pattern/replacement}`, and `//` where all. */
export function replaceMatch(pattern: string, value: string, replacement: string, all: boolean): string {
  const expression = compile(pattern, true, false, pattern);
  return value.replace(all ? new RegExp(expression, "gu") : expression, () => replacement);
}

/** `*` and `?` only; there are no bracket expressions. A backslash stands before `*`, `?`, `\`, and, inside `${}`, `}` and `/`. */
function compile(pattern: string, greedy: boolean, anchored: boolean, written: string): RegExp {
  const characters = [...pattern];
  let out = anchored ? "^" : "";
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at]!;
    if (character === "*") {
      out += greedy ? "[^\\n]*" : "[^\\n]*?";
      continue;
    }
    if (character === "?") {
      out += "[^\\n]";
      continue;
    }
    if (character === "\\") {
      const next = characters[at + 1];
      if (next === "}" || next === "/") continue;
      if (next !== "*" && next !== "?" && next !== "\\") {
        throw new DockerfileError(
          `invalid pattern (${written}) in substitution: invalid escape '\\${next ?? "\ufffd"}'`,
        );
      }
      character = next;
      at++;
    }
    out += /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
  }
  return new RegExp(out, "u");
}

/** Reverses what is matched, but leaves an escape in front of its character. */
function reversePattern(pattern: string): string {
  const characters = [...pattern];
  let out = "";
  for (let at = characters.length - 1; at >= 0; at--) {
    const character = characters[at]!;
    if (at > 0 && characters[at - 1] === "\\" && "*?\\".includes(character)) {
      out += `\\${character}`;
      at--;
    } else out += character;
  }
  return out;
}

function reverse(text: string): string {
  return [...text].reverse().join("");
}
