/** A command written as one text, split into words. */

export interface Words {
  readonly words: readonly string[];
  /** The text from the first `;`, `&`, `|`, `<` or `>` on, which docker compose drops without a word. */
  readonly dropped?: string;
}

/** Why a text cannot be split. */
export class WordsError extends Error {}

/** What keeps a word together: quotes, which go away, and backquotes and `$(…)`, which stay. */
type Open = "'" | '"' | "`" | "(";

/**
 * Splits as docker compose does: quotes and backslashes as in a shell; variables, patterns, `~` and `#` stand for
 * themselves, and so do backquotes and `$(…)`, which only keep their spaces.
 *
 * @throws {WordsError} when something is left open, or a parenthesis asks for a shell
 */
export function splitWords(text: string): Words {
  const words: string[] = [];
  const open = new Set<Open>();
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "\\" && !open.has("'")) {
      if (++at >= text.length) throw new WordsError("a backslash stands at the end");
      word = (word ?? "") + text[at]!;
    } else if (/[ \t\r\n]/.test(char)) {
      if (open.size > 0) word = (word ?? "") + char;
      else if (word !== undefined) {
        words.push(word);
        word = undefined;
      }
    } else if (quotes(char, open)) {
      toggle(open, char as Open);
      word ??= "";
    } else if (open.size === 0 && /[;&|<>]/.test(char)) {
      // `2>` is a redirection as a whole.
      if (word !== undefined && !(char === ">" && /^[0-9]/.test(word))) words.push(word);
      return { words, dropped: text.slice(at) };
    } else {
      group(char, word, open);
      word = (word ?? "") + char;
    }
  }
  if (open.size > 0) throw new WordsError("a quote or bracket is opened and never closed");
  if (word !== undefined) words.push(word);
  return { words };
}

/** True for a quote that opens or closes here. */
function quotes(char: string, open: ReadonlySet<Open>): boolean {
  if (open.has("(")) return false;
  return (char === '"' && !open.has("'")) || (char === "'" && !open.has('"'));
}

function group(char: string, word: string | undefined, open: Set<Open>): void {
  const quoted = open.has("'") || open.has('"');
  if (char === "`" && !quoted && !open.has("(")) toggle(open, "`");
  if (quoted || open.has("`")) return;
  if (char === ")") toggle(open, "(");
  if (char !== "(") return;
  if (open.has("(") || !word?.endsWith("$")) throw new WordsError("a parenthesis needs a shell");
  open.add("(");
}

function toggle(open: Set<Open>, what: Open): void {
  if (!open.delete(what)) open.add(what);
}
