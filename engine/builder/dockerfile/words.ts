/**
 * Variable expansion and word splitting as a Dockerfile has it: close to a POSIX shell's, with differences that the
 * vectors of BuildKit's lexer show (`$$` is a variable, `${x:=y}` is an error, patterns know only `*` and `?`).
 */

import { replaceMatch, trimPrefix, trimSuffix } from "./pattern.ts";
import { DockerfileError } from "./position.ts";
import { isSpace, quote } from "./text.ts";

/** Where variables come from. */
export interface Environment {
  get(name: string): string | undefined;
}

export interface ExpandOptions {
  readonly escape?: string; // "\\" or "`"
  /** Keep quote characters in the result. */
  readonly rawQuotes?: boolean;
  /** Keep escape characters in the result. */
  readonly rawEscapes?: boolean;
  /** Quotes are ordinary characters (heredoc bodies). */
  readonly ignoreQuotes?: boolean;
  /** Leave what refers to an unset variable as it is written. */
  readonly keepUnset?: boolean;
}

export interface Expansion {
  readonly text: string;
  /** The text split at blanks that were not quoted; the split is done after expansion. */
  readonly words: readonly string[];
  readonly matched: ReadonlySet<string>;
  readonly unmatched: ReadonlySet<string>;
}

/** @throws {DockerfileError} for an open quote, a bad substitution, or `${x?message}` of an unset variable */
export function expand(source: string, environment: Environment, options: ExpandOptions = {}): Expansion {
  const lexer = new Lexer(source, environment, options);
  try {
    const { text, words } = lexer.until(undefined, options.rawEscapes ?? false);
    return { text, words, matched: lexer.matched, unmatched: lexer.unmatched };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    throw new ExpansionError(`failed to process ${quote(source)}: ${error.message}`, lexer.unmatched, {
      cause: error,
    });
  }
}

/** Knows which variables were not set up to the mistake. */
export class ExpansionError extends DockerfileError {
  readonly unmatched: ReadonlySet<string>;

  constructor(message: string, unmatched: ReadonlySet<string>, options: ErrorOptions) {
    super(message, undefined, options);
    this.unmatched = unmatched;
  }
}

export const NO_ENVIRONMENT: Environment = { get: () => undefined };

/** `NAME=value` entries; the last of a name wins. */
export function environmentOf(entries: readonly string[]): Environment {
  const values = new Map<string, string>();
  for (const entry of entries) {
    const equals = entry.indexOf("=");
    if (equals < 0) values.set(entry, "");
    else values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return values;
}

/** What Go prints for "no character": the end of the text inside an error message. */
const END = "\ufffd";
const SPECIAL = new Set(["@", "*", "#", "?", "-", "$", "!", "0"]);

class Lexer {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  readonly #characters: readonly string[];
  readonly #environment: Environment;
  readonly #escape: string;
  readonly #options: ExpandOptions;
  #rawEscapes: boolean;
  #at = 0;

  constructor(source: string, environment: Environment, options: ExpandOptions) {
    this.#characters = [...source];
    this.#environment = environment;
    this.#escape = options.escape ?? "\\";
    this.#options = options;
    this.#rawEscapes = options.rawEscapes ?? false;
  }

  /** Reads up to `stop`, which is eaten, or to the end where `stop` is undefined. */
  until(
    stop: string | undefined,
    rawEscapes: boolean,
  ): { readonly text: string; readonly words: readonly string[] } {
    const outer = this.#rawEscapes;
    this.#rawEscapes = rawEscapes;
    try {
      return this.#until(stop);
    } finally {
      this.#rawEscapes = outer;
    }
  }

  #until(stop: string | undefined): { readonly text: string; readonly words: readonly string[] } {
    const words = new WordCollector();
    let text = "";
    for (let next = this.#peek(); next !== undefined; next = this.#peek()) {
      if (next === stop) {
        this.#at++;
        return { text, words: words.take() };
      }
      if (next === "$") {
        const value = this.#dollar();
        text += value;
        words.addSplit(value);
      } else if ((next === "'" || next === '"') && this.#options.ignoreQuotes !== true) {
        const value = next === "'" ? this.#singleQuoted() : this.#doubleQuoted();
        text += value;
        words.addWhole(value);
      } else if (next === this.#escape) {
        this.#at++;
        if (this.#rawEscapes) {
          words.addWhole(next);
          text += next;
        }
        const escaped = this.#next();
        if (escaped === undefined) break;
        words.addWhole(escaped);
        text += escaped;
      } else {
        this.#at++;
        words.addSplit(next);
        text += next;
      }
    }
    if (stop !== undefined) fail(`unexpected end of statement while looking for matching ${stop}`);
    return { text, words: words.take() };
  }

  #singleQuoted(): string {
    const quoteMark = this.#next()!;
    let text = this.#options.rawQuotes === true ? quoteMark : "";
    for (;;) {
      const next = this.#next();
      if (next === undefined)
        return fail("unexpected end of statement while looking for matching single-quote");
      if (next === "'") return this.#options.rawQuotes === true ? text + next : text;
      text += next;
    }
  }

  #doubleQuoted(): string {
    const quoteMark = this.#next()!;
    let text = this.#options.rawQuotes === true ? quoteMark : "";
    for (;;) {
      const next = this.#peek();
      if (next === undefined)
        return fail("unexpected end of statement while looking for matching double-quote");
      if (next === "$") {
        text += this.#dollar();
        continue;
      }
      this.#at++;
      if (next === '"') return this.#options.rawQuotes === true ? text + next : text;
      if (next !== this.#escape) {
        text += next;
        continue;
      }
      if (this.#rawEscapes) text += next;
      const escaped = this.#peek();
      if (escaped === undefined) continue;
      // Only these lose the escape in front of them; before anything else it stays.
      if (escaped === '"' || escaped === "$" || escaped === this.#escape) {
        this.#at++;
        text += escaped;
      } else text += next;
    }
  }

  #dollar(): string {
    this.#at++;
    if (this.#peek() !== "{") {
      const name = this.#name();
      if (name === "") return "$";
      const value = this.#value(name);
      if (value === undefined) return this.#options.keepUnset === true ? `$${name}` : "";
      return value;
    }
    this.#at++;
    const first = this.#peek();
    if (first === undefined) fail("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":") fail("syntax error: bad substitution");
    const name = this.#name();
    const operator = this.#next();
    switch (operator) {
      case "}":
        return this.#value(name) ?? (this.#options.keepUnset === true ? `\${${name}}` : "");
      case ":":
        return this.#withDefault(name, this.#next(), true);
      case "+":
      case "-":
      case "?":
      case "#":
      case "%":
        return this.#withDefault(name, operator, false);
      case "/":
        return this.#replaced(name);
      default:
        return fail(`unsupported modifier (${operator ?? END}) in substitution`);
    }
  }

  #withDefault(name: string, operator: string | undefined, emptyIsUnset: boolean): string {
    const isPattern = operator === "#" || operator === "%";
    const written = `${emptyIsUnset ? ":" : ""}${operator ?? END}`;
    const word = this.#part("}", isPattern, "syntax error: missing '}'");
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}${written}${word}}`;
    const absent = value === undefined || (emptyIsUnset && value === "");
    switch (operator) {
      case "-":
        return absent ? word : value;
      case "+":
        return absent ? "" : word;
      case "?":
        if (value === undefined) return fail(`${name}: ${word === "" ? "is not allowed to be unset" : word}`);
        if (absent) return fail(`${name}: ${word === "" ? "is not allowed to be empty" : word}`);
        return value;
      case "#":
      case "%":
        if (!emptyIsUnset) {
          const greedy = word.startsWith(operator);
          const pattern = greedy ? word.slice(1) : word;
          return operator === "#"
            ? trimPrefix(pattern, value ?? "", greedy)
            : trimSuffix(pattern, value ?? "", greedy);
        }
    }
    return fail(`unsupported modifier (${written}) in substitution`);
  }

  #replaced(name: string): string {
    const all = this.#peek() === "/";
    if (all) this.#at++;
    const pattern = this.#part("/", true, "syntax error: missing '/' in ${}");
    const replacement = this.#part("}", true, "syntax error: missing '}'");
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset === true)
      return `\${${name}/${pattern}/${replacement}}`;
    return replaceMatch(pattern, value ?? "", replacement, all);
  }

  /** A part of `${…}`; an error at the very end is reported as the missing end. */
  #part(stop: string, rawEscapes: boolean, missing: string): string {
    try {
      return this.until(stop, rawEscapes).text;
    } catch (error) {
      if (error instanceof DockerfileError && this.#peek() === undefined) fail(missing);
      throw error;
    }
  }

  #name(): string {
    const first = this.#peek();
    if (first === undefined) return "";
    let name = "";
    if (/\p{Nd}/u.test(first)) {
      for (let next = this.#peek(); next !== undefined && /\p{Nd}/u.test(next); next = this.#peek())
        name += this.#next();
      return name;
    }
    if (SPECIAL.has(first)) return this.#next()!;
    for (let next = this.#peek(); next !== undefined && /[\p{L}\p{Nd}_]/u.test(next); next = this.#peek()) {
      name += this.#next();
    }
    return name;
  }

  #value(name: string): string | undefined {
    const value = this.#environment.get(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string | undefined {
    return this.#characters[this.#at++];
  }
}

class WordCollector {
  readonly #words: string[] = [];
  #word = "";

  /** Adds text of which blanks end words, but not those between `<<` and a heredoc's name. */
  addSplit(text: string): void {
    for (const character of text) {
      if (!isSpace(character) || /<<-?\s*$/.test(this.#word)) this.#word += character;
      else this.#end();
    }
  }

  addWhole(text: string): void {
    this.#word += text;
  }

  take(): readonly string[] {
    this.#end();
    return this.#words;
  }

  #end(): void {
    if (this.#word !== "") this.#words.push(this.#word);
    this.#word = "";
  }
}

function fail(message: string): never {
  throw new DockerfileError(message);
}
