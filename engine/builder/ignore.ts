/** .dockerignore: how it is read, and which paths it hides. Not gitignore: a name alone matches only at the root. */
import { posix } from "node:path";
import { EngineError } from "../errors.ts";
import type { Skipped } from "../native/workers.ts";
import { trim } from "./dockerfile/text.ts";
import { compileName } from "./match.ts";

/** The patterns of a .dockerignore file, cleaned; `!` stays in front. */
export function readIgnoreFile(text: string): string[] {
  const patterns: string[] = [];
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    let pattern = trim(line);
    if (pattern === "") continue;
    const inverted = pattern.startsWith("!");
    if (inverted) pattern = trim(pattern.slice(1));
    if (pattern !== "") {
      pattern = clean(pattern);
      if (pattern.length > 1 && pattern.startsWith("/")) pattern = pattern.slice(1);
    }
    patterns.push(inverted ? `!${pattern}` : pattern);
  }
  return patterns;
}

interface Pattern {
  readonly exclusion: boolean; // "!": shows again what was hidden
  readonly text: string;
  matches(path: string): boolean;
}

/** What is known of a path for those below it. */
export interface Walked {
  readonly hidden: boolean;
  /** Pattern by pattern: whether it matched the path or a directory above. */
  readonly matched: readonly boolean[];
}

/** Decides which paths are hidden: the last pattern that matches the path or one of its parents wins. */
export class IgnoreMatcher {
  readonly #patterns: readonly Pattern[];

  /** @throws {EngineError} invalid for a pattern that cannot be read */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
      .map(trim)
      .filter((each) => each !== "")
      .map(compile);
  }

  /** Equal for matchers that decide alike. */
  get key(): string {
    return JSON.stringify(this.#patterns.map(({ exclusion, text }) => (exclusion ? `!${text}` : text)));
  }

  /** What a walk need not look into, as far as that can be said before it. */
  get closed(): Skipped {
    const texts = this.hasExclusions ? [] : this.#patterns.map(({ text }) => text);
    const names = texts.filter((text) => /^\*\*\/[^/]+$/.test(text)).map((text) => text.slice(3));
    return { paths: texts.filter(isLiteral), names: names.filter(isLiteral) };
  }

  get hasExclusions(): boolean {
    return this.#patterns.some(({ exclusion }) => exclusion);
  }

  /** Whether a pattern hides all that lies at the root. */
  get hidesEverything(): boolean {
    return this.#patterns.some(
      ({ text, exclusion }) => !exclusion && (text === "*" || text === "**" || text === "**/*"),
    );
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** @param path relative to the root, "/"-separated */
  ignores(path: string): boolean {
    const parents = parentsOf(path);
    let hidden = false;
    for (const pattern of this.#patterns) {
      if (pattern.exclusion !== hidden) continue;
      if (pattern.matches(path) || parents.some((parent) => pattern.matches(parent)))
        hidden = !pattern.exclusion;
    }
    return hidden;
  }

  /**
   * The same for a walk from the root down, where it is not quite the same: a pattern that was passed over at a parent,
   * because nothing was to be changed by it there, does not count for what lies below. BuildKit's walk has it so.
   *
   * @param parent what this gave for the directory that holds the path; undefined at the root
   */
  walked(path: string, parent: Walked | undefined): Walked {
    let hidden = false;
    const matched = this.#patterns.map((pattern, index) => {
      const above = parent?.matched[index] === true;
      const matches = above || (pattern.exclusion === hidden && pattern.matches(path));
      if (matches) hidden = !pattern.exclusion;
      return matches;
    });
    return { hidden, matched };
  }

  /** Whether something below a hidden directory may be shown again, so that it must be looked into. */
  mayShowBelow(directory: string): boolean {
    const prefix = `${directory}/`;
    return this.#patterns.some(({ exclusion, text }) => {
      if (!exclusion) return false;
      const literal = /^[^*?[\\]*/.exec(text)![0];
      return literal === text
        ? `${text}/`.startsWith(prefix)
        : prefix.startsWith(literal) || literal.startsWith(prefix);
    });
  }
}

function isLiteral(text: string): boolean {
  return !/[*?[\]\\]/.test(text);
}

function parentsOf(path: string): string[] {
  const parent = posix.dirname(path.endsWith("/") ? `${path}x` : path);
  if (parent === ".") return [];
  const parts = parent.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function compile(written: string): Pattern {
  let text = clean(written);
  const exclusion = text.startsWith("!");
  if (exclusion) {
    if (text.length === 1) throw new EngineError("invalid", 'illegal exclusion pattern: "!"');
    text = text.slice(1);
  }
  compileName(text); // Its syntax is checked, though ** means more here.
  return { exclusion, text, matches: matcherOf(text) };
}

/** What may stand behind a backslash in Go's regular expressions with a meaning that is the same in JavaScript's. */
const KNOWN_ESCAPES = /[bBdDsSwWfnrtv]/;

function matcherOf(text: string): (path: string) => boolean {
  if (isLiteral(text)) return (path) => path === text;
  if (/^\*\*[^*?[\]\\]*$/.test(text)) {
    // "**" in front of plain text is any beginning at all: "**.txt" also matches in directories.
    const suffix = text.slice(2);
    return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
  }
  const characters = [...text];
  let expression = "";
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === "*" && characters[at + 1] === "*") {
      at++;
      if (characters[at + 1] === "/") at++;
      expression += at + 1 >= characters.length ? "[^\\n]*" : "([^\\n]*/)?";
    } else if (character === "*") expression += "[^/]*";
    else if (character === "?") expression += "[^/]";
    else if (character === "\\") {
      const next = characters[++at] ?? "";
      if (/[a-zA-Z0-9]/.test(next) && !KNOWN_ESCAPES.test(next))
        throw new EngineError("invalid", "syntax error in pattern");
      expression += /[a-zA-Z]/.test(next) ? `\\${next}` : quoted(next);
    } else if (character === "[" || character === "]" || character === "^") expression += character;
    else expression += character === "-" ? character : quoted(character);
  }
  let compiled: RegExp;
  try {
    compiled = new RegExp(`^${expression}$`);
  } catch (cause) {
    throw new EngineError("invalid", "syntax error in pattern", { cause });
  }
  return (path) => compiled.test(path);
}

function quoted(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}

/** Go's filepath.Clean. */
export function clean(path: string): string {
  const cleaned = posix.normalize(path);
  return cleaned.length > 1 && cleaned.endsWith("/") ? cleaned.slice(0, -1) : cleaned;
}
