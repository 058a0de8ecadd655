/**
 * A Dockerfile's text as logical lines: continuations joined, comments and directives taken out, and every character
 * still knows its line and column in the file.
 */
import { DockerfileError, type Position } from "./position.ts";
import { trim, trimStart } from "./text.ts";

/** The most bytes one line of the file may have; BuildKit reads by Go's bufio.Scanner with its default token. */
const MOST_BYTES = 65535;
const DIRECTIVE = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;

export interface Directive {
  readonly name: "syntax" | "escape" | "check";
  readonly value: string;
  readonly line: number;
}

export interface LogicalLine {
  readonly text: string; // blanks at its start removed
  readonly startLine: number; // from 1
  readonly endLine: number; // of the last line joined, heredoc bodies not counted
  /** The comments above it since the last instruction, without `#`; an empty comment line forgets those before. */
  readonly comments: readonly string[];
  /** Lines of it that are empty inside a continuation. */
  readonly emptyLines: readonly number[];
  /** @param offset in `text` */
  positionOf(offset: number): Position;
}

interface Segment {
  readonly offset: number;
  readonly at: Position;
}

export class LineReader {
  readonly directives: Directive[] = [];
  readonly #lines: readonly string[]; // each with its newline
  #next = 0;
  #lookForDirectives = true;

  constructor(source: string) {
    const text = source.startsWith("\ufeff") ? source.slice(1) : source;
    this.#lines = text.split(/(?<=\n)/);
    if (text === "") this.#lines = [];
  }

  /** The number of the line read last. */
  get line(): number {
    return this.#next;
  }

  get escapeToken(): string {
    return this.directives.find(({ name }) => name === "escape")?.value ?? "\\";
  }

  /** @throws {DockerfileError} for a repeated or wrong directive and for a line that is too long */
  next(): LogicalLine | undefined {
    let comments: string[] = [];
    for (let line = this.#take(); line !== undefined; line = this.#take()) {
      const startLine = this.#next;
      const text = trimStart(line);
      if (text.startsWith("#")) {
        if (this.#directive(text)) continue;
        // As BuildKit: of an indented comment the first blank is cut, not the "#".
        const comment = trim(line.slice(1));
        if (comment === "") comments = [];
        else comments.push(comment);
        continue;
      }
      this.#lookForDirectives = false;
      const joined = this.#join(text, line.length - text.length + 1);
      if (joined.text === "" && !joined.continued) continue;
      return { ...joined.line, startLine, endLine: this.#next, comments };
    }
    return undefined;
  }

  /**
   * Reads the lines up to a heredoc's end.
   *
   * @param stripTabs whether tabs in front of the end are ignored (`<<-`); the body keeps them
   * @returns undefined where the file ends before
   */
  heredocBody(
    terminator: string,
    stripTabs: boolean,
  ): { readonly content: string; readonly startLine: number } | undefined {
    const startLine = this.#next + 1;
    let content = "";
    for (let line = this.#take(); line !== undefined; line = this.#take()) {
      const bare = line.replace(/[\r\n]+$/, "");
      if ((stripTabs ? bare.replace(/^\t+/, "") : bare) === terminator) return { content, startLine };
      content += line;
    }
    return undefined;
  }

  #take(): string | undefined {
    const line = this.#lines[this.#next];
    if (line === undefined) return undefined;
    this.#next++;
    if (line.length * 3 > MOST_BYTES && Buffer.byteLength(line.replace(/\n$/, "")) > MOST_BYTES) {
      throw this.#fail(`dockerfile line greater than max allowed size of ${MOST_BYTES}`);
    }
    return line;
  }

  /** Takes a `# name=value` line as a directive. The first line that is none ends the section. */
  #directive(text: string): boolean {
    if (!this.#lookForDirectives) return false;
    const match = DIRECTIVE.exec(trim(text.slice(1)));
    const name = match?.[1]?.toLowerCase();
    if (match === null || (name !== "syntax" && name !== "escape" && name !== "check")) {
      this.#lookForDirectives = false;
      return false;
    }
    if (this.directives.some((other) => other.name === name)) {
      throw this.#fail(`only one ${name} parser directive can be used`);
    }
    const value = match[2]!;
    if (name === "escape" && value !== "\\" && value !== "`") {
      throw this.#fail(`invalid escape token '${value}' does not match \` or \\`);
    }
    this.directives.push({ name, value, line: this.#next });
    return true;
  }

  #join(
    first: string,
    column: number,
  ): {
    readonly text: string;
    readonly continued: boolean;
    readonly line: Pick<LogicalLine, "text" | "emptyLines" | "positionOf">;
  } {
    const segments: Segment[] = [{ offset: 0, at: { line: this.#next, column } }];
    const emptyLines: number[] = [];
    let { text, more } = this.#continued(first.replace(/[\r\n]+$/, ""));
    const continued = more;
    while (more) {
      const raw = this.#take();
      if (raw === undefined) break;
      const bare = raw.replace(/[\r\n]+$/, "");
      const content = trimStart(bare);
      if (content.startsWith("#")) continue;
      if (content === "") {
        emptyLines.push(this.#next);
        continue;
      }
      segments.push({ offset: text.length, at: { line: this.#next, column: 1 } });
      const part = this.#continued(bare);
      text += part.text;
      more = part.more;
    }
    const positionOf = (offset: number): Position => positionIn(segments, offset);
    return { text, continued, line: { text, emptyLines, positionOf } };
  }

  /** An escape character at the end of a line, blanks after it allowed, joins the next; two of them do not. */
  #continued(line: string): { text: string; more: boolean } {
    const bare = line.replace(/[ \t]+$/, "");
    const { escapeToken } = this;
    if (!bare.endsWith(escapeToken) || bare.at(-2) === escapeToken) return { text: line, more: false };
    return { text: bare.slice(0, -1), more: true };
  }

  #fail(message: string): DockerfileError {
    const at = { line: this.#next, column: 1 };
    return new DockerfileError(message, { start: at, end: at });
  }
}

function positionIn(segments: readonly Segment[], offset: number): Position {
  const segment = segments.findLast((each) => each.offset <= offset) ?? segments[0]!;
  return { line: segment.at.line, column: segment.at.column + offset - segment.offset };
}
