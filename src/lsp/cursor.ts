/** What stands at a place of a document: found in its tree, or by its indentation where the text cannot be read. */
import type { Node } from "../model/node.ts";
import type { SourceText } from "../model/place.ts";
import type { Position } from "./protocol.ts";

export interface Cursor {
  /** Keys and indices down to what is meant. */
  readonly path: readonly string[];
  /** On the key itself, not on its value. */
  readonly onKey: boolean;
}

export function offsetOf(file: SourceText, { line, character }: Position): number {
  const start = file.starts[line] ?? file.text.length;
  return Math.min(start + character, file.text.length);
}

/** The innermost value, or key, that the offset is in. */
export function cursorAt(node: Node, offset: number): Cursor | undefined {
  const inside = (place: { start: number; end: number } | undefined): boolean =>
    place !== undefined && place.start <= offset && offset <= place.end;
  if (node.kind === "map") {
    for (const [key, value] of node.entries) {
      if (inside(value.key)) return { path: [key], onKey: true };
      const below = inside(value.at) && value.at !== value.key ? cursorAt(value, offset) : undefined;
      if (below) return { path: [key, ...below.path], onKey: below.onKey };
    }
    return undefined;
  }
  if (node.kind === "list") {
    for (const [index, item] of node.items.entries()) {
      const below = inside(item.at) ? cursorAt(item, offset) : undefined;
      if (below) return { path: [String(index), ...below.path], onKey: below.onKey };
    }
    return undefined;
  }
  return { path: [], onKey: false };
}

export interface Typing {
  /** Down to the mapping, list or key that is being written in. */
  readonly path: readonly string[];
  /** True: a key is being written; false: a value or an item. */
  readonly key: boolean;
  /** What is there of it already. */
  readonly prefix: string;
  /** Keys that the mapping has already. */
  readonly present: readonly string[];
}

const KEY = /^( *(?:- +)*)(?:"([^"]*)"|'([^']*)'|([^\s"'#:][^#:]*?)) *:(?: +(.*))?$/;

/** What somebody writes at a place, by the indentation of the lines above. */
export function typingAt(file: SourceText, { line, character }: Position): Typing {
  const before = file.line(line + 1).slice(0, character);
  const own = KEY.exec(before);
  if (own && own[5] !== undefined) {
    const path = pathAbove(file, line, own[1]!.length, own[1]!);
    return { path: [...path, nameOf(own)], key: false, prefix: own[5], present: [] };
  }
  if (/:\s+$/.test(before)) {
    const name = before
      .trim()
      .replace(/^(?:- +)*/, "")
      .replace(/:$/, "");
    const lead = /^ *(?:- +)*/.exec(before)![0];
    return { path: [...pathAbove(file, line, lead.length, lead), name], key: false, prefix: "", present: [] };
  }
  const lead = /^ *(?:- *)*/.exec(before)![0];
  const prefix = before.slice(lead.length);
  const path = pathAbove(file, line, lead.length, lead);
  return {
    path,
    key: !lead.includes("-") || lead.trimEnd().endsWith("-"),
    prefix,
    present: siblings(file, line, lead.length),
  };
}

const nameOf = (match: RegExpExecArray): string => match[2] ?? match[3] ?? match[4]!;

/** The keys that a line at a column stands below; an item of a list counts as "0". */
function pathAbove(file: SourceText, line: number, column: number, lead: string): string[] {
  const path: string[] = [];
  let limit = column;
  if (lead.includes("-")) {
    path.unshift("0");
    limit = lead.indexOf("-");
  }
  for (let n = line; n >= 1 && limit >= 0; n--) {
    const text = file.line(n);
    if (/^\s*(#|$)/.test(text)) continue;
    const match = KEY.exec(text);
    if (!match) continue;
    const at = match[1]!.length;
    const dash = match[1]!.indexOf("-");
    // A list may stand in its key's own column.
    const opens = match[5] === undefined && (at < limit || (at === limit && path[0] === "0" && dash < 0));
    if (opens) {
      path.unshift(nameOf(match));
      limit = at;
    } else if (at > limit || match[5] === undefined ? false : at < limit) limit = at;
    if (dash >= 0 && dash < limit && at <= limit) {
      path.unshift("0");
      limit = dash;
    }
    if (limit === 0 && path[0] !== "0") break;
  }
  return path;
}

/** The keys in the same column, around a line. */
function siblings(file: SourceText, line: number, column: number): string[] {
  const found: string[] = [];
  for (const direction of [-1, 1]) {
    for (let n = line + 1 + direction; n >= 1 && n <= file.starts.length; n += direction) {
      const text = file.line(n);
      if (/^\s*(#|$)/.test(text)) continue;
      const match = KEY.exec(text);
      const at = match ? match[1]!.length : /^ */.exec(text)![0].length;
      if (at < column) break;
      if (match && at === column) found.push(nameOf(match));
    }
  }
  return found;
}
