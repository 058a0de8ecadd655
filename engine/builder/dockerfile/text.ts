/** Text rules of Go's standard library that a Dockerfile's meaning hangs on. */

const SPACE = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

/** Unicode's White_Space, as Go's unicode.IsSpace; JavaScript's \s also takes the byte order mark. */
export function isSpace(character: string): boolean {
  return SPACE.test(character);
}

export function trimStart(text: string): string {
  let from = 0;
  while (from < text.length && isSpace(text[from]!)) from++;
  return text.slice(from);
}

export function trimEnd(text: string): string {
  let to = text.length;
  while (to > 0 && isSpace(text[to - 1]!)) to--;
  return text.slice(0, to);
}

export function trim(text: string): string {
  return trimStart(trimEnd(text));
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** A double-quoted Go string literal, Go's `%q`: the form of commands in an image's history. */
export function quote(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (ESCAPES[character] !== undefined) out += ESCAPES[character];
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code > 0x7f && !/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) {
      out +=
        code > 0xffff
          ? `\\U${code.toString(16).padStart(8, "0")}`
          : `\\u${code.toString(16).padStart(4, "0")}`;
    } else out += character;
  }
  return `${out}"`;
}

/** `["a" "b"]`, Go's `%q` of a list. */
export function quoteList(words: readonly string[]): string {
  return `[${words.map(quote).join(" ")}]`;
}

/**
 * The option nearest to a word, for "did you mean".
 *
 * @returns undefined where none is within two edits, or where the word itself is an option
 */
export function suggest(word: string, options: readonly string[], ignoreCase = false): string | undefined {
  const wanted = ignoreCase ? word.toLowerCase() : word;
  let best: string | undefined;
  let least = 3;
  for (const each of options) {
    const option = ignoreCase ? each.toLowerCase() : each;
    if (option === wanted) return undefined;
    const edits = distance(wanted, option);
    if (edits < least) [best, least] = [each, edits];
  }
  return best;
}

export function didYouMean(word: string, options: readonly string[], ignoreCase = false): string {
  const best = suggest(word, options, ignoreCase);
  return best === undefined ? "" : ` (did you mean ${best}?)`;
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/** Go's strconv.ParseBool; undefined where the text is neither. */
export function parseBoolean(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}
