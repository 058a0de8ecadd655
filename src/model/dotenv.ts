/**
 * Files of variables, `.env` and `env_file`, as docker compose reads them: `export`, `KEY: value`, quotes over several
 * lines, escapes and variables between double quotes, ` #` comments, and a bare `KEY` that takes its value from outside.
 */
import type { Place, SourceText } from "./place.ts";
import { problem } from "./problems.ts";
import { fill, TemplateError } from "./template.ts";

export interface EnvEntry {
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

/** Finds a variable outside of the file. */
export type Outside = (name: string) => string | undefined;

/**
 * Reads a file of variables.
 *
 * @param outside is asked first for a variable in a value, before what the file said above
 * @throws {AppError} ENV_FILE_SYNTAX
 */
export function parseEnv(file: SourceText, outside: Outside): Map<string, EnvEntry> {
  return new Parser(file, outside).parse();
}

/**
 * Reads a file of `KEY=VALUE` lines as they are: no quotes, no variables.
 *
 * @throws {AppError} ENV_FILE_SYNTAX
 */
export function parseRawEnv(file: SourceText, outside: Outside): Map<string, EnvEntry> {
  const found = new Map<string, EnvEntry>();
  file.text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .forEach((text, index) => {
      const line = text.replace(/\r$/, "").trimStart();
      if (line === "" || line.startsWith("#")) return;
      const equals = line.indexOf("=");
      const key = equals < 0 ? line : line.slice(0, equals);
      if (key === "" || /\s/.test(key)) {
        const start = file.starts[index]!;
        throw problem(
          "ENV_FILE_SYNTAX",
          key === "" ? "a line has no name before `=`" : `"${key}" is no variable's name`,
          { file, start, end: start + text.length },
        );
      }
      const value = equals < 0 ? outside(key) : line.slice(equals + 1);
      if (value !== undefined) found.set(key, { value, line: index + 1 });
    });
  return found;
}

const SPACE = /[\t\v\f\r \u0085\u00A0]/;
const NAME = /[\p{L}\p{N}_.\-[\]]/u;

class Parser {
  readonly #file: SourceText;
  readonly #text: string;
  readonly #outside: Outside;
  readonly #found = new Map<string, EnvEntry>();
  #at = 0;

  constructor(file: SourceText, outside: Outside) {
    this.#file = file;
    this.#text = file.text;
    this.#outside = outside;
    if (this.#text.startsWith("\uFEFF")) this.#at = 1;
  }

  parse(): Map<string, EnvEntry> {
    while (this.#toStatement()) {
      const start = this.#at;
      const { line } = this.#file.position(start);
      const { key, inherited } = this.#key();
      if (key.includes(" "))
        throw this.#error(
          `"${key}" has a space in it`,
          start,
          start + key.length,
          "A variable's name has none; is `=` missing?",
        );
      const value = inherited ? this.#outside(key) : this.#value();
      if (value !== undefined) this.#found.set(key, { value, line });
    }
    return this.#found;
  }

  /** Goes to the next statement, over blank lines and comments. */
  #toStatement(): boolean {
    for (;;) {
      while (this.#at < this.#text.length && /\s|\u0085/.test(this.#text[this.#at]!)) this.#at++;
      if (this.#at >= this.#text.length) return false;
      if (this.#text[this.#at] !== "#") return true;
      const end = this.#text.indexOf("\n", this.#at);
      if (end < 0) return false;
      this.#at = end;
    }
  }

  #key(): { key: string; inherited: boolean } {
    const prefix = /^export\s+/.exec(this.#text.slice(this.#at, this.#at + 64));
    if (prefix) {
      this.#at += "export".length;
      this.#spaces();
    }
    const start = this.#at;
    for (let at = start; at < this.#text.length; at += this.#text.codePointAt(at)! > 0xffff ? 2 : 1) {
      const char = String.fromCodePoint(this.#text.codePointAt(at)!);
      if (SPACE.test(char)) continue;
      if (char === "=" || char === ":" || char === "\n") {
        this.#at = at + 1;
        this.#spaces();
        return { key: this.#text.slice(start, at).trimEnd(), inherited: char === "\n" };
      }
      if (!NAME.test(char))
        throw this.#error(`unexpected character "${char}" in a variable's name`, at, at + 1);
    }
    // The last line has neither `=` nor an end: docker compose takes its text for the value of a variable without a name.
    return { key: "", inherited: false };
  }

  #value(): string {
    const quote = this.#text[this.#at];
    if (quote === '"' || quote === "'") return this.#quoted(quote);
    const start = this.#at;
    const end = this.#text.indexOf("\n", start);
    this.#at = end < 0 ? this.#text.length : end + 1;
    const line = this.#text.slice(start, end < 0 ? undefined : end);
    const comment = line.indexOf(" #");
    return this.#filled((comment < 0 ? line : line.slice(0, comment)).trimEnd(), start);
  }

  #quoted(quote: string): string {
    const start = this.#at;
    let value = "";
    let escaped = false;
    for (let at = start + 1; at < this.#text.length; at++) {
      const char = this.#text[at]!;
      if (char !== quote) {
        if (!escaped && char === "\\") {
          escaped = true;
          continue;
        }
        value += escaped ? `\\${char}` : char;
        escaped = false;
      } else if (escaped) {
        value += char;
        escaped = false;
      } else {
        this.#at = at + 1;
        return quote === '"' ? this.#filled(unescaped(value), start) : value;
      }
    }
    const end = this.#text.indexOf("\n", start);
    throw this.#error(
      "a quote is opened and never closed",
      start,
      end < 0 ? this.#text.length : end,
      `Close it with ${quote}.`,
    );
  }

  #filled(value: string, start: number): string {
    try {
      return fill(value, { value: (name) => this.#outside(name) ?? this.#found.get(name)?.value });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw this.#error(
        error.message,
        start,
        start + value.length,
        error.kind === "format"
          ? "A dollar sign that is meant as such is written $$, or stands between single quotes."
          : undefined,
      );
    }
  }

  #spaces(): void {
    while (this.#at < this.#text.length && SPACE.test(this.#text[this.#at]!)) this.#at++;
  }

  #error(message: string, start: number, end: number, hint?: string): Error {
    const at: Place = { file: this.#file, start, end: Math.max(end, start + 1) };
    return problem("ENV_FILE_SYNTAX", message, at, { hint });
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  '"': '"',
  "\\": "\\",
};

/** The escapes of a shell's double quotes; a dollar sign becomes one that the filling leaves alone. */
function unescaped(text: string): string {
  return text.replace(/\\([abcfnrtv$"\\]|0\d{0,3})/g, (whole, letter: string) => {
    if (letter === "$") return "$$";
    if (letter === "c") return whole;
    if (letter.startsWith("0")) return String.fromCharCode(Number.parseInt(letter, 8) || 0);
    return ESCAPES[letter] ?? whole;
  });
}
