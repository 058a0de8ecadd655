/**
 * A reader for the YAML that nearly every Compose file is made of: block mappings and lists, text on one line, brackets,
 * `|`, anchors and merge keys. It is some ten times as fast as the whole of YAML. At anything else, and at every mistake, it gives up, and
 * `yaml.ts` has the `yaml` package read the file: that one decides, and has the words for what is wrong.
 */
import { type ListNode, list, type MapNode, map, type Node, type ScalarNode, scalar } from "./node.ts";
import type { Place, SourceText } from "./place.ts";
import { resolvePlain } from "./scalars.ts";

const MAX_DEPTH = 60;
/** As in `yaml.ts`: an alias counts with all that it stands for. */
const ALIAS_BUDGET = 100_000;
const COLON = 58;
/** What no plain text may start with. */
const INDICATOR = /[,[\]{}#&*!|>'"%@`]/;

/** Thrown to give up; it has no stack, as it is no failure. */
const OTHER = Symbol("other YAML");

/** @returns undefined where the file holds anything but plain YAML of one document */
export function parsePlainYaml(file: SourceText): Node | undefined {
  if (/[\t\r\uFEFF\u0085\u2028\u2029]/.test(file.text)) return undefined;
  try {
    return new Reader(file).document();
  } catch (error) {
    if (error === OTHER) return undefined;
    throw error;
  }
}

function other(): never {
  throw OTHER;
}

class Reader {
  readonly #file: SourceText;
  readonly #text: string;
  #at = 0;
  /** Column of the line's first character, when `#at` stands there. */
  #indent = 0;
  #depth = 0;

  constructor(file: SourceText) {
    this.#file = file;
    this.#text = file.text;
  }

  document(): Node | undefined {
    if (/^---[ ]*\n/.test(this.#text)) this.#at = this.#text.indexOf("\n");
    else this.#at = -1;
    if (!this.#nextLine()) return undefined;
    const node = this.#block(-1, undefined);
    if (this.#at < this.#text.length) other();
    return node;
  }

  /** The block that starts here, at the line's indentation. @param outer the indentation of what it belongs to */
  #block(outer: number, key: Place | undefined): Node {
    if (++this.#depth > MAX_DEPTH) other();
    const node = this.#isItem()
      ? this.#list(this.#indent, key)
      : this.#isKey()
        ? this.#map(this.#indent, key)
        : this.#inline(outer, key);
    this.#depth--;
    return node;
  }

  #map(indent: number, key: Place | undefined): MapNode {
    const entries = new Map<string, Node>();
    const start = this.#at;
    let end = start;
    let merge: Node | undefined;
    for (;;) {
      if (this.#isItem()) other();
      const from = this.#at;
      const name = this.#key();
      const value = this.#value(indent, this.#place(from, this.#keyEnd));
      if (name === MERGE) merge = merge ? other() : value;
      else if (entries.has(name)) other();
      else entries.set(name, value);
      end = Math.max(start + 1, value.at.end);
      if (this.#at >= this.#text.length || this.#indent < indent) break;
      if (this.#indent > indent) other();
    }
    if (merge) complete(entries, merge);
    return map(entries, { at: this.#place(start, end), key });
  }

  #list(indent: number, key: Place | undefined): ListNode {
    const items: Node[] = [];
    const start = this.#at;
    while (this.#at < this.#text.length && this.#indent === indent && this.#isItem()) {
      this.#at++;
      this.#spaces();
      const mark = this.#mark();
      items.push(mark ? this.#marked(mark, () => this.#item(indent, true)) : this.#item(indent, false));
    }
    if (this.#at < this.#text.length && this.#indent > indent) other();
    return list(items, { at: this.#place(start, Math.max(start + 1, items.at(-1)!.at.end)), key });
  }

  /** What follows a dash. @param marked after an anchor or tag, which would be the first key's */
  #item(indent: number, marked: boolean): Node {
    if (this.#endOfLine()) {
      if (!this.#nextLine() || this.#indent <= indent) other();
      return this.#block(indent, undefined);
    }
    if (!this.#isItem() && !this.#isKey()) return this.#inline(indent, undefined);
    if (marked) other();
    // What follows the dash is a block of its own, indented to where it starts.
    this.#indent = this.#at - (this.#text.lastIndexOf("\n", this.#at) + 1);
    return this.#block(indent, undefined);
  }

  /** What follows a key's colon. */
  #value(indent: number, key: Place): Node {
    this.#spaces();
    const mark = this.#mark();
    if (mark) return this.#marked(mark, () => this.#bareValue(indent, key));
    const node = this.#bareValue(indent, key);
    // A list may stand in its key's own column.
    const listed =
      node.kind === "scalar" &&
      node.source === "" &&
      this.#indent === indent &&
      this.#at < this.#text.length &&
      this.#isItem();
    return listed ? this.#list(indent, key) : node;
  }

  #bareValue(indent: number, key: Place): Node {
    if (!this.#endOfLine()) return this.#inline(indent, key);
    return this.#nextLine() && this.#indent > indent ? this.#block(indent, key) : nothing(key);
  }

  /** `&name`, `!reset` and `!override` before a value. */
  #mark(): Mark | undefined {
    let anchor: string | undefined;
    let tag: Node["tag"];
    for (;;) {
      const char = this.#text[this.#at];
      if (char !== "&" && char !== "!") break;
      const word = this.#word();
      if (char === "&") anchor = anchor === undefined && word.length > 1 ? word.slice(1) : other();
      else
        tag =
          tag === undefined && (word === "!reset" || word === "!override")
            ? (word.slice(1) as Node["tag"])
            : other();
      if (!this.#isBreak(this.#at)) other();
      this.#spaces();
    }
    return anchor === undefined && tag === undefined ? undefined : { anchor, tag };
  }

  /** Up to a space or what ends a word between brackets. */
  #word(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !/[\s,[\]{}]/.test(this.#text[this.#at]!)) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #marked({ anchor, tag }: Mark, read: () => Node): Node {
    if (anchor !== undefined) this.#anchors.delete(anchor);
    const node = read();
    const result = tag === undefined ? node : { ...node, tag };
    if (anchor !== undefined) this.#anchors.set(anchor, { node: result, size: sizeOf(result) });
    return result;
  }

  #alias(key: Place | undefined): Node {
    const target = this.#anchors.get(this.#word().slice(1)) ?? other();
    this.#aliased += target.size;
    if (this.#aliased > ALIAS_BUDGET) other();
    return { ...target.node, key };
  }

  /** A value on the line; goes on to the next line. */
  #inline(indent: number, key: Place | undefined): Node {
    const char = this.#text[this.#at]!;
    if (char === "|" || char === ">") return this.#blockText(indent, key, char);
    let node: Node;
    if (char === '"' || char === "'") {
      const start = this.#at;
      const text = this.#quoted();
      node = scalar(text, { at: this.#place(start, this.#at), key });
    } else if (char === "[" || char === "{") node = this.#flow(indent, key);
    else if (char === "*") node = this.#alias(key);
    else node = this.#plain(this.#lineEnd(), key);
    this.#spaces();
    if (!this.#endOfLine()) other();
    // A line further in would go on with the text.
    if (this.#nextLine() && this.#indent > indent) other();
    return node;
  }

  #plain(end: number, key: Place | undefined): ScalarNode {
    const start = this.#at;
    const text = this.#text.slice(start, end).trimEnd();
    if (text === "" || INDICATOR.test(text[0]!) || /^[-?:](\s|$)/.test(text) || /:( |$)/.test(text)) other();
    this.#at = start + text.length;
    const value = resolvePlain(text);
    const node = scalar(value, { at: this.#place(start, this.#at), key });
    return typeof value === "string" ? node : { ...node, source: text };
  }

  /** Where the line's content ends: at a comment or its end. */
  #lineEnd(): number {
    const newline = this.#text.indexOf("\n", this.#at);
    const end = newline < 0 ? this.#text.length : newline;
    // The next comment may be far away: it is looked for once.
    if (this.#comment < this.#at) {
      const comment = this.#text.indexOf(" #", this.#at);
      this.#comment = comment < 0 ? Number.POSITIVE_INFINITY : comment;
    }
    return Math.min(end, this.#comment);
  }

  #comment = -1;
  readonly #anchors = new Map<string, { readonly node: Node; readonly size: number }>();
  #aliased = 0;

  #keyEnd = 0;

  /** Reads a key and its colon. */
  #key(): string | typeof MERGE {
    const char = this.#text[this.#at]!;
    if (char === '"' || char === "'") {
      const text = this.#quoted();
      this.#keyEnd = this.#at;
      if (this.#text[this.#at] !== ":" || !this.#isBreak(this.#at + 1)) other();
      this.#at++;
      return text;
    }
    const colon = this.#colon();
    if (colon < 0) other();
    const text = this.#text.slice(this.#at, colon).trimEnd();
    if (text === "<<") {
      this.#keyEnd = this.#at + text.length;
      this.#at = colon + 1;
      return MERGE;
    }
    if (
      text === "" ||
      INDICATOR.test(text[0]!) ||
      /^[-?](\s|$)/.test(text) ||
      typeof resolvePlain(text) !== "string"
    )
      other();
    this.#keyEnd = this.#at + text.length;
    this.#at = colon + 1;
    return text;
  }

  /** The colon that ends a plain key in this line. */
  #colon(): number {
    const end = this.#lineEnd();
    for (let at = this.#at; at < end; at++) {
      if (this.#text.charCodeAt(at) === COLON && this.#isBreak(at + 1)) return at;
    }
    return -1;
  }

  #isKey(): boolean {
    const char = this.#text[this.#at]!;
    if (char === "[" || char === "{") return false;
    if (char !== '"' && char !== "'") return this.#colon() >= 0;
    const start = this.#at;
    this.#quoted();
    const isKey = this.#text[this.#at] === ":" && this.#isBreak(this.#at + 1);
    this.#at = start;
    return isKey;
  }

  #isItem(): boolean {
    return this.#text[this.#at] === "-" && this.#isBreak(this.#at + 1);
  }

  #isBreak(at: number): boolean {
    const char = this.#text[at];
    return char === undefined || char === " " || char === "\n";
  }

  /** Text between quotes, on one line. */
  #quoted(): string {
    const quote = this.#text[this.#at]!;
    const start = this.#at + 1;
    let end = this.#text.indexOf(quote, start);
    while (quote === "'" && end >= 0 && this.#text[end + 1] === "'") end = this.#text.indexOf("'", end + 2);
    if (end < 0) other();
    const inner = this.#text.slice(start, end);
    if (inner.includes("\n")) other();
    if (quote === "'") {
      this.#at = end + 1;
      return inner.replaceAll("''", "'");
    }
    return inner.includes("\\") ? this.#escaped(start) : this.#ended(inner, end);
  }

  #ended(text: string, end: number): string {
    this.#at = end + 1;
    return text;
  }

  #escaped(start: number): string {
    let text = "";
    for (let at = start; at < this.#text.length; at++) {
      const char = this.#text[at]!;
      if (char === '"') return this.#ended(text, at);
      if (char === "\n") other();
      text += char === "\\" ? (ESCAPES[this.#text[++at]!] ?? other()) : char;
    }
    return other();
  }

  /** Values in brackets, also over several lines. */
  #flow(indent: number, key: Place | undefined): Node {
    if (++this.#depth > MAX_DEPTH) other();
    const node = this.#text[this.#at] === "[" ? this.#flowList(indent, key) : this.#flowMap(indent, key);
    this.#depth--;
    return node;
  }

  #flowList(indent: number, key: Place | undefined): ListNode {
    const start = this.#at++;
    const items: Node[] = [];
    this.#flowSpace(indent);
    while (this.#text[this.#at] !== "]") {
      items.push(this.#flowValue(indent, undefined));
      this.#flowSpace(indent);
      if (this.#text[this.#at] === ",") {
        this.#at++;
        this.#flowSpace(indent);
      } else if (this.#text[this.#at] !== "]") other();
    }
    this.#at++;
    return list(items, { at: this.#place(start, this.#at), key });
  }

  #flowMap(indent: number, key: Place | undefined): MapNode {
    const start = this.#at++;
    const entries = new Map<string, Node>();
    let merge: Node | undefined;
    this.#flowSpace(indent);
    while (this.#text[this.#at] !== "}") {
      const from = this.#at;
      const name = this.#flowKey();
      const place = this.#place(from, this.#keyEnd);
      this.#flowSpace(indent);
      const empty = this.#text[this.#at] === "," || this.#text[this.#at] === "}";
      const value = empty ? nothing(place) : this.#flowValue(indent, place);
      if (name === MERGE) merge = merge ? other() : value;
      else if (entries.has(name)) other();
      else entries.set(name, value);
      this.#flowSpace(indent);
      if (this.#text[this.#at] === ",") {
        this.#at++;
        this.#flowSpace(indent);
      } else if (this.#text[this.#at] !== "}") other();
    }
    this.#at++;
    if (merge) complete(entries, merge);
    return map(entries, { at: this.#place(start, this.#at), key });
  }

  #flowKey(): string | typeof MERGE {
    const quoted = this.#text[this.#at] === '"' || this.#text[this.#at] === "'";
    const text = quoted ? this.#quoted() : this.#flowWord();
    this.#keyEnd = this.#at;
    if (!quoted && typeof resolvePlain(text) !== "string") other();
    if (this.#text[this.#at] !== ":") other();
    this.#at++;
    // Between brackets `{a:b}` is one word; after a quoted key the colon needs no space.
    if (!quoted && !this.#isBreak(this.#at) && !/[,\]}]/.test(this.#text[this.#at]!)) other();
    return !quoted && text === "<<" ? MERGE : text;
  }

  #flowValue(indent: number, key: Place | undefined): Node {
    const mark = this.#mark();
    if (mark) return this.#marked(mark, () => this.#flowValue(indent, key));
    const char = this.#text[this.#at];
    if (char === "[" || char === "{") return this.#flow(indent, key);
    if (char === "*") {
      const node = this.#alias(key);
      this.#flowSpace(indent);
      return /[,\]}]/.test(this.#text[this.#at]!) ? node : other();
    }
    const start = this.#at;
    if (char === '"' || char === "'") {
      const text = this.#quoted();
      if (this.#text[this.#at] === ":") other();
      return scalar(text, { at: this.#place(start, this.#at), key });
    }
    const text = this.#flowWord();
    if (this.#text[this.#at] === ":") other();
    const value = resolvePlain(text);
    const node = scalar(value, { at: this.#place(start, this.#at), key });
    return typeof value === "string" ? node : { ...node, source: text };
  }

  /** A plain word between brackets: up to a comma, a bracket, or a colon with a space. */
  #flowWord(): string {
    const start = this.#at;
    let at = start;
    for (; at < this.#text.length; at++) {
      const char = this.#text[at]!;
      if (char === "," || char === "[" || char === "]" || char === "{" || char === "}" || char === "\n")
        break;
      if (char === ":" && (this.#isBreak(at + 1) || /[,[\]{}]/.test(this.#text[at + 1]!))) break;
      if (char === "#" && this.#text[at - 1] === " ") break;
    }
    const text = this.#text.slice(start, at).trimEnd();
    if (text === "" || INDICATOR.test(text[0]!) || /^[-?:](\s|$)/.test(text)) other();
    this.#at = start + text.length;
    // A word that goes on in the next line is for the other reader.
    if (!/^ *(#[^\n]*)?(\n|[,\]}:[{]|$)/.test(this.#text.slice(this.#at, this.#at + 200))) other();
    return text;
  }

  /** Spaces, comments and line ends between brackets. */
  #flowSpace(indent: number): void {
    for (;;) {
      this.#spaces();
      if (this.#text[this.#at] === "#" && /[\s]/.test(this.#text[this.#at - 1]!)) {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end < 0 ? other() : end;
      }
      if (this.#text[this.#at] !== "\n") break;
      this.#at++;
      const start = this.#at;
      this.#spaces();
      const char = this.#text[this.#at];
      if (char !== "\n" && char !== "#" && this.#at - start <= indent) other();
    }
    if (this.#at >= this.#text.length) other();
  }

  /** `|` and simple `>`. */
  #blockText(indent: number, key: Place | undefined, style: string): ScalarNode {
    const start = this.#at;
    const header = /^[|>]([-+]?)[ ]*(#[^\n]*)?\n/.exec(this.#text.slice(start, start + 200));
    if (!header) return other();
    let at = start + header[0].length;
    let margin = -1;
    let end = at;
    const lines: string[] = [];
    while (at < this.#text.length) {
      const newline = this.#text.indexOf("\n", at);
      const line = this.#text.slice(at, newline < 0 ? undefined : newline);
      const content = line.search(/[^ ]/);
      if (content >= 0) {
        if (margin < 0 && content > indent) margin = content;
        if (content <= indent) break;
        if (content < margin) other();
      } else if (line.length > (margin < 0 ? 0 : margin)) other();
      lines.push(line.slice(Math.max(0, margin)));
      at = newline < 0 ? this.#text.length : newline + 1;
      if (content >= 0) end = at;
    }
    if (margin < 0 || lines[0] === "") other();
    const text = blockValue(lines, style, header[1]!, this.#text.endsWith("\n") || at < this.#text.length);
    const node = scalar(text, { at: this.#place(start, end), key });
    this.#at = at - 1;
    if (at >= this.#text.length) this.#at = this.#text.length;
    else this.#nextLine();
    return node;
  }

  #spaces(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  /** True at the line's end, or at a comment. */
  #endOfLine(): boolean {
    const char = this.#text[this.#at];
    return char === undefined || char === "\n" || (char === "#" && this.#text[this.#at - 1] === " ");
  }

  /** Goes from a line's end to the next line that has content. */
  #nextLine(): boolean {
    for (
      let line = this.#at < 0 ? -1 : this.#text.indexOf("\n", this.#at);
      ;
      line = this.#text.indexOf("\n", this.#at)
    ) {
      if (line < 0 && this.#at >= 0) {
        this.#at = this.#text.length;
        return false;
      }
      const start = line + 1;
      this.#at = start;
      this.#spaces();
      const char = this.#text[this.#at];
      if (char === undefined) {
        this.#at = this.#text.length;
        return false;
      }
      if (char === "\n" || char === "#") continue;
      this.#indent = this.#at - start;
      if (this.#indent === 0 && /^(---|\.\.\.)(\s|$)|^%/.test(this.#text.slice(start, start + 4))) other();
      return true;
    }
  }

  #place(start: number, end: number): Place {
    return { file: this.#file, start, end };
  }
}

interface Mark {
  readonly anchor: string | undefined;
  readonly tag: Node["tag"];
}

/** The key `<<`. */
const MERGE = Symbol("<<");

/** `<<`: what the mapping does not say itself; of several, the first wins. */
function complete(entries: Map<string, Node>, merge: Node): void {
  for (const source of merge.kind === "list" ? merge.items : [merge]) {
    if (source.kind !== "map") other();
    for (const [name, value] of source.entries) if (!entries.has(name)) entries.set(name, value);
  }
}

function sizeOf(node: Node): number {
  if (node.kind === "scalar") return 1;
  let size = 1;
  for (const child of node.kind === "list" ? node.items : node.entries.values()) size += sizeOf(child);
  return size;
}

const nothing = (key: Place): ScalarNode => ({ ...scalar(null, { at: key, key }), source: "" });

/** @param ended the last line ends with a newline */
function blockValue(lines: readonly string[], style: string, chomp: string, ended: boolean): string {
  let end = lines.length;
  while (end > 0 && lines[end - 1] === "") end--;
  const kept = lines.slice(0, end);
  if (chomp === "+" || !ended) other();
  if (style === ">" && kept.some((line) => line === "" || line.startsWith(" "))) other();
  return kept.join(style === ">" ? " " : "\n") + (chomp === "-" ? "" : "\n");
}

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
