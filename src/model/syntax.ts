/** Why a text is no YAML, in words that say what to do: the parser's own messages name its tokens. */
import type { YAMLError } from "yaml";
import type { Place, SourceText } from "./place.ts";
import type { Problems } from "./problems.ts";

interface Explanation {
  readonly message: string;
  readonly hint?: string | undefined;
}

export function explainSyntax(error: YAMLError, file: SourceText, problems: Problems): void {
  const start = Math.min(error.pos[0], Math.max(0, file.text.length - 1));
  const at: Place = { file, start, end: Math.max(start + 1, Math.min(error.pos[1], file.text.length)) };
  const { line } = file.position(start);
  const { message, hint } = explain(error, file, line);
  problems.add("COMPOSE_SYNTAX", message, at, { hint, cause: error });
}

function explain(error: YAMLError, file: SourceText, line: number): Explanation {
  const text = file.line(line);
  switch (error.code) {
    case "TAB_AS_INDENT":
      return { message: "a tab indents this line", hint: "YAML takes spaces only: two for each level." };
    case "BAD_INDENT":
      return (
        indentation(file, line) ?? {
          message: "this line is not indented like its neighbours",
          hint: "Keys of one mapping start in one column.",
        }
      );
    case "BLOCK_AS_IMPLICIT_KEY":
      return /^\s*-?\s*[^"'#\s][^#]*: [^"']*: /.test(`${text} `)
        ? {
            message: "a second `: ` stands in this line",
            hint: "Put quotes around the value, or the second key on a line of its own.",
          }
        : (indentation(file, line) ?? {
            message: "a mapping starts where none can",
            hint: "Put it on a line of its own, indented more than its key.",
          });
    case "MULTILINE_IMPLICIT_KEY":
    case "UNEXPECTED_TOKEN":
      return missingColon(file, line) ?? indentation(file, line) ?? { message: plain(error.message) };
    case "MISSING_CHAR":
      if (/quote/i.test(error.message))
        return {
          message: "a quote is opened here and never closed",
          hint: "Close it, or double it inside the text.",
        };
      return (
        missingColon(file, line) ?? {
          message: plain(error.message),
          hint: /[[{]/.test(text) ? "Close the bracket." : undefined,
        }
      );
    case "BAD_SCALAR_START":
      return {
        message: `a value cannot start with ${text.trim()[0] === "@" || text.includes(" @") ? "@" : "this character"}`,
        hint: "Put the value in quotes.",
      };
    case "BAD_DQ_ESCAPE":
      return {
        message: plain(error.message),
        hint: "Between double quotes a backslash starts an escape; write `\\\\`, or use single quotes.",
      };
    case "BAD_ALIAS":
      return {
        message: plain(error.message),
        hint: "`*` starts an alias; put a value that begins with it in quotes.",
      };
    default:
      return { message: plain(error.message) };
  }
}

/** Says which columns the line could start in, from the open blocks above it. */
function indentation(file: SourceText, line: number): Explanation | undefined {
  const own = indent(file.line(line));
  const open: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (let n = line - 1; n >= 1 && least > 0; n--) {
    const text = file.line(n);
    if (/^\s*(#|$)/.test(text)) continue;
    const at = indent(text);
    if (at < least) {
      open.unshift(at);
      least = at;
    }
  }
  if (open.length === 0 || open.includes(own)) return undefined;
  const choices = open.length > 1 ? `${open.slice(0, -1).join(", ")} or ${open.at(-1)}` : String(open[0]);
  return {
    message: `this line is indented by ${spaces(own)}, and no block above is`,
    hint: `Indent it by ${choices} ${open.at(-1) === 1 ? "space" : "spaces"}, like the block it belongs to.`,
  };
}

function missingColon(file: SourceText, line: number): Explanation | undefined {
  for (const n of [line, line - 1]) {
    const text = file.line(n).trim();
    const key = /^(?:- )?([A-Za-z_][\w.-]*)$/.exec(text)?.[1];
    if (key) return { message: `line ${n} has no colon`, hint: `Write "${key}:".` };
    const glued = /^(?:- )?([A-Za-z_][\w.-]*):([^\s/].*)$/.exec(text);
    if (glued)
      return { message: `line ${n} has no space after the colon`, hint: `Write "${glued[1]}: ${glued[2]}".` };
  }
  return undefined;
}

const indent = (text: string): number => /^ */.exec(text)![0].length;
const spaces = (n: number): string => `${n} ${n === 1 ? "space" : "spaces"}`;
const plain = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1);
