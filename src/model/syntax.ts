/**
 * Why a text is no YAML, in words that say what to do: the parser's own messages name its tokens, and its place is often
 * the line after the slip. The usual slips are looked for one after the other; the first that is there is told.
 */
import type { YAMLError } from "yaml";
import type { Place, SourceText } from "./place.ts";
import type { Problems } from "./problems.ts";

interface Slip {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at: Place;
}

interface Failure {
  readonly error: YAMLError;
  readonly file: SourceText;
  /** Where the parser gave up. */
  readonly at: Place;
  readonly line: number;
}

export function explainSyntax(error: YAMLError, file: SourceText, problems: Problems): void {
  const start = Math.min(error.pos[0], Math.max(0, file.text.length - 1));
  const at: Place = { file, start, end: Math.max(start + 1, Math.min(error.pos[1], file.text.length)) };
  const failure = { error, file, at, line: file.position(start).line };
  for (const look of [unclosed, tab, mixed, noColon, deeper, secondColon, misaligned, byCode]) {
    const slip = look(failure);
    if (!slip) continue;
    problems.add("COMPOSE_SYNTAX", slip.message, slip.at, { hint: slip.hint, cause: error });
    return;
  }
}

/** A quote or bracket whose end the parser missed somewhere below: where it opens is to be looked at. */
function unclosed({ error, file }: Failure): Slip | undefined {
  const before = file.text.slice(0, error.pos[1]);
  const found = (start: number, what: string, hint: string): Slip => ({
    message: `${what} is opened here and never closed`,
    hint,
    at: { file, start, end: start + 1 },
  });
  if (/quote/i.test(error.message)) {
    const match = [...before.matchAll(/(?:^|[\s:,[{-])["'](?=[^"']*$)/g)].at(-1);
    return (
      match && found(match.index + match[0].length - 1, "a quote", "Close it, or double it inside the text.")
    );
  }
  if (!/flow (map|sequence|collection)/i.test(error.message)) return undefined;
  const open: number[] = [];
  for (let at = 0; at < before.length; at++) {
    if (/[[{]/.test(before[at]!) && /[\s:,[{-]/.test(before[at - 1] ?? " ")) open.push(at);
    else if (/[\]}]/.test(before[at]!)) open.pop();
  }
  const start = open.at(-1);
  return start === undefined
    ? undefined
    : found(start, "a bracket", `Close it with ${file.text[start] === "[" ? "]" : "}"}.`);
}

function tab({ error, at }: Failure): Slip | undefined {
  if (error.code !== "TAB_AS_INDENT") return undefined;
  return { message: "a tab indents this line", hint: "YAML takes spaces only: two for each level.", at };
}

/** `- item` and `key: value` in one column. */
function mixed({ file, line }: Failure): Slip | undefined {
  const text = file.line(line);
  const above = sibling(file, line);
  if (above === undefined || isItem(file.line(above)) === isItem(text) || text.trim() === "")
    return undefined;
  const [own, other] = isItem(text) ? ["a list item", "keys of a mapping"] : ["a key", "items of a list"];
  return {
    message: `${own} stands among ${other}`,
    hint: "Make all of them `- item`, or all of them `key: value`.",
    at: whole(file, line),
  };
}

/** The nearest line above in the same column, with nothing further out between. */
function sibling(file: SourceText, line: number): number | undefined {
  const own = indent(file.line(line));
  for (let n = line - 1; n >= 1; n--) {
    const text = file.line(n);
    if (/^\s*(#|$)/.test(text)) continue;
    if (indent(text) < own) return undefined;
    if (indent(text) === own) return n;
  }
  return undefined;
}

function noColon({ file, line, error }: Failure): Slip | undefined {
  if (["BAD_SCALAR_START", "BAD_DQ_ESCAPE", "BAD_ALIAS"].includes(error.code)) return undefined;
  for (const n of [line, line - 1]) {
    const text = file.line(n).trim();
    const glued = /^(?:- )?([A-Za-z_][\w.-]*):([^\s/].*)$/.exec(text);
    if (glued && !/: /.test(text))
      return {
        message: "there is no space after the colon",
        hint: `Write "${glued[1]}: ${glued[2]}".`,
        at: whole(file, n),
      };
    const [, key, value] = /^([A-Za-z_][\w.-]*)(?: +([^:#]*))?$/.exec(text) ?? [];
    if (key)
      return {
        message: "this line has no colon",
        hint: `Write "${key}:${value ? ` ${value}` : ""}".`,
        at: whole(file, n),
      };
  }
  return undefined;
}

/** A line further in than the one above, which has its value already. */
function deeper({ file, line, error }: Failure): Slip | undefined {
  if (error.code !== "BLOCK_AS_IMPLICIT_KEY") return undefined;
  const next = following(file, line);
  if (
    next === undefined ||
    indent(file.line(next)) <= indent(file.line(line)) ||
    !/: +\S/.test(file.line(line))
  )
    return undefined;
  return {
    message: "this line is indented more than the one above, which has its value already",
    hint: `Indent it by ${spaces(indent(file.line(line)))}, or take the value above away.`,
    at: whole(file, next),
  };
}

function secondColon({ file, line, error, at }: Failure): Slip | undefined {
  if (error.code !== "BLOCK_AS_IMPLICIT_KEY" || !/^\s*-?\s*[^"'#\s][^#]*: [^"']*:( |$)/.test(file.line(line)))
    return undefined;
  return {
    message: "a second `: ` stands in this line",
    hint: "Put quotes around the value, or the second key on a line of its own.",
    at,
  };
}

/** A line in a column where no block above starts. */
function misaligned({ file, line, error }: Failure): Slip | undefined {
  if (
    !["BAD_INDENT", "BLOCK_AS_IMPLICIT_KEY", "MULTILINE_IMPLICIT_KEY", "UNEXPECTED_TOKEN"].includes(
      error.code,
    )
  )
    return undefined;
  const own = indent(file.line(line));
  const open: number[] = [];
  for (let n = line - 1; n >= 1 && open[0] !== 0; n--) {
    const text = file.line(n);
    if (!/^\s*(#|$)/.test(text) && indent(text) < (open[0] ?? Number.POSITIVE_INFINITY))
      open.unshift(indent(text));
  }
  if (open.length === 0 || open.includes(own)) return undefined;
  const choices =
    open.length > 1 ? `${open.slice(0, -1).join(", ")} or ${open.at(-1)} spaces` : spaces(open[0]!);
  return {
    message: `this line is indented by ${spaces(own)}, and no block above is`,
    hint: `Indent it by ${choices}, like the block it belongs to.`,
    at: whole(file, line),
  };
}

function byCode({ file, error, at }: Failure): Slip {
  const said = error.message.charAt(0).toLowerCase() + error.message.slice(1);
  switch (error.code) {
    case "BAD_INDENT":
      return {
        message: "this line is not indented like its neighbours",
        hint: "Keys of one mapping start in one column.",
        at,
      };
    case "BAD_SCALAR_START":
      return {
        message: `a value cannot start with ${file.text[at.start]}`,
        hint: "Put the value in quotes.",
        at,
      };
    case "BAD_DQ_ESCAPE":
      return {
        message: said,
        hint: "Between double quotes a backslash starts an escape; write `\\\\`, or use single quotes.",
        at,
      };
    case "BAD_ALIAS":
      return { message: said, hint: "`*` starts an alias; put a value that begins with it in quotes.", at };
    default:
      return { message: said, at };
  }
}

function following(file: SourceText, line: number): number | undefined {
  for (let n = line + 1; n <= file.starts.length; n++) if (!/^\s*(#|$)/.test(file.line(n))) return n;
  return undefined;
}

/** What is written in a line. */
function whole(file: SourceText, line: number): Place {
  const start = file.starts[line - 1]! + indent(file.line(line));
  return { file, start, end: Math.max(start + 1, file.starts[line - 1]! + file.line(line).trimEnd().length) };
}

const indent = (text: string): number => /^ */.exec(text)![0].length;
const isItem = (text: string): boolean => /^\s*-(\s|$)/.test(text);
const spaces = (n: number): string => `${n} ${n === 1 ? "space" : "spaces"}`;
