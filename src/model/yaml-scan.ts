/** Characters and lines of plain YAML, below the readers of `yaml-plain.ts`. */
import type { Place, SourceText } from "./place.ts";

/** Thrown to give up; it has no stack, as it is no failure. */
export const OTHER = Symbol("other YAML");

export function other(): never {
  throw OTHER;
}

/** What no plain text may start with. */
export const INDICATOR = /[,[\]{}#&*!|>'"%@`]/;

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  '"': '"',
  "\\": "\\",
  "/": "/",
  "0": "\0",
  " ": " ",
};

/** A place in the text, and what can be read there without knowing what it belongs to. */
export class Scanner {
  protected readonly file: SourceText;
  protected readonly text: string;

  protected at = 0;
  /** Column of the line's first character, when `at` stands there. */
  protected indent = 0;
  protected depth = 0;

  #comment = -1;

  constructor(file: SourceText) {
    this.file = file;
    this.text = file.text;
  }

  protected spaces(): void {
    while (this.text[this.at] === " ") this.at++;
  }

  /** True at the line's end, or at a comment. */
  protected endOfLine(): boolean {
    const char = this.text[this.at];
    return char === undefined || char === "\n" || (char === "#" && this.text[this.at - 1] === " ");
  }

  /** Goes from a line's end to the next line that has content. */
  protected nextLine(): boolean {
    for (
      let line = this.at < 0 ? -1 : this.text.indexOf("\n", this.at);
      ;
      line = this.text.indexOf("\n", this.at)
    ) {
      if (line < 0 && this.at >= 0) {
        this.at = this.text.length;
        return false;
      }
      const start = line + 1;
      this.at = start;
      this.spaces();
      const char = this.text[this.at];
      if (char === undefined) {
        this.at = this.text.length;
        return false;
      }
      if (char === "\n" || char === "#") continue;
      this.indent = this.at - start;
      if (this.indent === 0 && /^(---|\.\.\.)(\s|$)|^%/.test(this.text.slice(start, start + 4))) other();
      return true;
    }
  }

  /** Where the line's content ends: at a comment or its end. */
  protected lineEnd(): number {
    const newline = this.text.indexOf("\n", this.at);
    const end = newline < 0 ? this.text.length : newline;
    // The next comment may be far away: it is looked for once.
    if (this.#comment < this.at) {
      const comment = this.text.indexOf(" #", this.at);
      this.#comment = comment < 0 ? Number.POSITIVE_INFINITY : comment;
    }
    return Math.min(end, this.#comment);
  }

  protected isBreak(at: number): boolean {
    const char = this.text[at];
    return char === undefined || char === " " || char === "\n";
  }

  protected isItem(): boolean {
    return this.text[this.at] === "-" && this.isBreak(this.at + 1);
  }

  /** Up to a space or what ends a word between brackets. */
  protected word(): string {
    const start = this.at;
    while (this.at < this.text.length && !/[\s,[\]{}]/.test(this.text[this.at]!)) this.at++;
    return this.text.slice(start, this.at);
  }

  /** Text between quotes, on one line. */
  protected quoted(): string {
    const quote = this.text[this.at]!;
    const start = this.at + 1;
    let end = this.text.indexOf(quote, start);
    while (quote === "'" && end >= 0 && this.text[end + 1] === "'") end = this.text.indexOf("'", end + 2);
    if (end < 0) other();
    const inner = this.text.slice(start, end);
    if (inner.includes("\n")) other();
    if (quote === "'") {
      this.at = end + 1;
      return inner.replaceAll("''", "'");
    }
    return inner.includes("\\") ? this.#escaped(start) : this.#ended(inner, end);
  }

  #ended(text: string, end: number): string {
    this.at = end + 1;
    return text;
  }

  #escaped(start: number): string {
    let text = "";
    for (let at = start; at < this.text.length; at++) {
      const char = this.text[at]!;
      if (char === '"') return this.#ended(text, at);
      if (char === "\n") other();
      text += char === "\\" ? (ESCAPES[this.text[++at]!] ?? other()) : char;
    }
    return other();
  }

  protected place(start: number, end: number): Place {
    return { file: this.file, start, end };
  }
}
