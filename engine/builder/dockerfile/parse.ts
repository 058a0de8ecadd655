/** Dockerfile text → instructions with their words, flags and heredocs. Knows the forms, not the meanings. */
import { type Heredoc, heredocsIn } from "./heredoc.ts";
import { type Directive, LineReader, type LogicalLine } from "./lines.ts";
import { DockerfileError, locate, type Position, type Range } from "./position.ts";
import { splitFlags, splitPairs, splitSpaces, type Word } from "./split.ts";
import { isSpace, trimEnd, trimStart } from "./text.ts";

/** One instruction of the file. */
export interface Node {
  readonly name: string; // as written
  readonly instruction: string; // in lower case
  readonly args: readonly Word[];
  readonly flags: readonly Word[];
  readonly json: boolean; // the arguments were a JSON array
  readonly original: string; // the joined line
  readonly heredocs: readonly Heredoc[];
  readonly comments: readonly string[];
  readonly range: Range; // heredoc bodies included
}

export interface Dockerfile {
  readonly nodes: readonly Node[];
  readonly escapeToken: string; // "\\" or "`"
  readonly directives: readonly Directive[];
  /** Instructions with an empty line inside a continuation, and the place of that line. */
  readonly emptyContinuations: readonly Range[];
  readonly source: string;
}

/** @throws {DockerfileError} with its place, for what BuildKit's parser refuses */
export function parse(source: string): Dockerfile {
  const reader = new LineReader(source);
  const nodes: Node[] = [];
  const emptyContinuations: Range[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const range = (): Range => ({
      start: { line: line!.startLine, column: line!.positionOf(0).column },
      end: { line: reader.line, column: 1 },
    });
    try {
      const head = parseLine(line.text, reader.escapeToken, line);
      const heredocs = takesHeredocs(head) ? readHeredocs(line.text, reader) : [];
      nodes.push({ ...head, heredocs, comments: line.comments, range: range() });
    } catch (error) {
      throw locate(error, range());
    }
    if (line.emptyLines.length > 0) {
      const end = { line: reader.line, column: 1 };
      emptyContinuations.push({ start: end, end });
    }
  }
  if (nodes.length === 0) {
    const at = { line: Math.max(reader.line, 1), column: 1 };
    throw new DockerfileError("file with no instructions", { start: at, end: at });
  }
  return {
    nodes,
    escapeToken: reader.escapeToken,
    directives: reader.directives,
    emptyContinuations,
    source,
  };
}

/** An instruction's line, without its heredocs. */
export type Head = Pick<Node, "name" | "instruction" | "args" | "flags" | "json" | "original">;

function parseLine(original: string, escapeToken: string, line: Pick<LogicalLine, "positionOf">): Head {
  const text = trimEnd(original);
  const gap = /[\t\v\f\r ]+/.exec(text);
  const name = gap === null ? text : text.slice(0, gap.index);
  const instruction = name.toLowerCase();
  const bodyAt = gap === null ? text.length : gap.index + gap[0].length;
  const { flags, rest } = splitFlags(text, bodyAt);
  const place = (words: readonly Unplaced[]): Word[] =>
    words.map(({ value, offset }) => ({ value, offset, at: line.positionOf(offset) }));
  const { args, json } = argumentsOf(instruction, text, rest, escapeToken);
  return { name, instruction, original, flags: place(flags), args: place(args), json };
}

type Unplaced = Omit<Word, "at">;
type Arguments = { readonly args: readonly Unplaced[]; readonly json: boolean };

function argumentsOf(instruction: string, text: string, from: number, escapeToken: string): Arguments {
  let at = from;
  while (at < text.length && isSpace(text[at]!)) at++;
  const rest = text.slice(at);
  const whole: Unplaced[] = rest === "" ? [] : [{ value: rest, offset: at }];
  switch (instruction) {
    case "add":
    case "copy":
    case "volume":
      return jsonArray(rest, at) ?? { args: splitSpaces(rest, at), json: false };
    case "cmd":
    case "entrypoint":
    case "run":
    case "shell":
      return jsonArray(rest, at) ?? { args: whole, json: false };
    case "expose":
    case "from":
      return { args: splitSpaces(rest, at), json: false };
    case "arg":
      return { args: splitPairs(rest, at, escapeToken, "ARG").words, json: false };
    case "env":
    case "label":
      return { args: splitPairs(rest, at, escapeToken, instruction.toUpperCase()).pairs(), json: false };
    case "healthcheck":
      return healthcheckArguments(rest, at);
    case "onbuild":
      return { args: whole, json: false };
    case "maintainer":
    case "stopsignal":
    case "user":
    case "workdir":
      return { args: whole, json: false };
    default:
      return { args: [], json: false };
  }
}

/**
 * A JSON array of strings.
 *
 * @returns undefined for what is not valid JSON: the text then has its other form
 * @throws {DockerfileError} for an array that holds anything but strings
 */
function jsonArray(rest: string, at: number): Arguments | undefined {
  if (!rest.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(rest);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (!value.every((each) => typeof each === "string")) {
    throw new DockerfileError("when using JSON array syntax, arrays must be comprised of strings only");
  }
  let searched = 1;
  const args = value.map((each: string) => {
    const start = rest.indexOf('"', searched);
    // Past the string's end: every quote inside it is escaped.
    searched = start + 1 + (/^(?:[^"\\]|\\.)*"/.exec(rest.slice(start + 1))?.[0].length ?? 0);
    return { value: each, offset: at + start };
  });
  return { args, json: true };
}

function healthcheckArguments(rest: string, at: number): Arguments {
  const kind = /^\S+/.exec(rest)?.[0];
  if (kind === undefined) return { args: [], json: false };
  const body = trimStart(rest.slice(kind.length));
  const bodyAt = at + rest.length - body.length;
  const first = { value: kind, offset: at };
  const array = jsonArray(body, bodyAt);
  if (array !== undefined) return { args: [first, ...array.args], json: true };
  return { args: body === "" ? [first] : [first, { value: body, offset: bodyAt }], json: false };
}

function takesHeredocs(head: Head): boolean {
  let { instruction, json } = head;
  if (instruction === "onbuild") {
    const inner = head.args[0] === undefined ? undefined : triggerOf(head.args[0].value);
    if (inner === undefined) return false;
    ({ instruction, json } = inner);
  }
  return (instruction === "add" || instruction === "copy" || instruction === "run") && !json;
}

/** The instruction that an ONBUILD holds. */
export function triggerOf(text: string, escapeToken = "\\"): Head | undefined {
  if (text === "") return undefined;
  return parseLine(text, escapeToken, {
    positionOf: (offset): Position => ({ line: 1, column: offset + 1 }),
  });
}

function readHeredocs(text: string, reader: LineReader): Heredoc[] {
  if (!text.includes("<<")) return [];
  return heredocsIn(text).map((start) => {
    const body = reader.heredocBody(start.name, start.stripTabs);
    if (body === undefined) throw new DockerfileError("unterminated heredoc");
    return { ...start, ...body };
  });
}
