/** A command written as one text, split into words. */

export interface Words {
  readonly words: readonly string[];
  /** The text from the first `;`, `&`, `|`, `<` or `>` on, which docker compose drops without a word. */
  readonly dropped?: string;
}

/** Why a text cannot be split. */
export class WordsError extends Error {}

/**
 * Splits as docker compose does: quotes and backslashes as in a shell; variables, patterns, `~`, `#` and backquotes stand
 * for themselves.
 *
 * @throws {WordsError} when a quote or a backslash at the end is left open, or a parenthesis asks for a shell
 */
export function splitWords(text: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "\\" && quote !== "'") {
      if (++at >= text.length) throw new WordsError("a backslash stands at the end");
      word = (word ?? "") + (ESCAPES[text[at]!] ?? text[at]!);
    } else if (quote === undefined && /[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if ((char === '"' || char === "'") && (quote === undefined || quote === char)) {
      quote = quote === undefined ? char : undefined;
      word ??= "";
    } else if (quote === undefined && /[;&|<>]/.test(char)) {
      // `2>` is a redirection as a whole.
      if (word !== undefined && !(char === ">" && /^[0-9]/.test(word))) words.push(word);
      return { words, dropped: text.slice(at) };
    } else if (char === "(" && quote === undefined && !word?.endsWith("$")) {
      throw new WordsError("a parenthesis needs a shell");
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) throw new WordsError("a quote is opened and never closed");
  if (word !== undefined) words.push(word);
  return { words };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t" };
