/**
 * A reader for the YAML that nearly every Compose file is made of: block mappings and lists, text on one line, brackets,
 * `|`, anchors and merge keys. It is some ten times as fast as the whole of YAML. At anything else, and at every mistake,
 * it gives up, and `yaml.ts` has the `yaml` package read the file: that one decides, and has the words for what is wrong.
 */
import { type ListNode, list, type MapNode, map, type Node, type ScalarNode, scalar } from "./node.ts";
import type { Place, SourceText } from "./place.ts";
import { resolvePlain } from "./scalars.ts";
import { complete, FlowReader, MAX_DEPTH, MERGE, nothing } from "./yaml-flow.ts";
import { INDICATOR, OTHER, other } from "./yaml-scan.ts";

const COLON = 58;

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

class Reader extends FlowReader {
  document(): Node | undefined {
    if (/^---[ ]*\n/.test(this.text)) this.at = this.text.indexOf("\n");
    else this.at = -1;
    if (!this.nextLine()) return undefined;
    const node = this.#block(-1, undefined);
    if (this.at < this.text.length) other();
    return node;
  }

  /** The block that starts here, at the line's indentation. @param outer the indentation of what it belongs to */
  #block(outer: number, key: Place | undefined): Node {
    if (++this.depth > MAX_DEPTH) other();
    const node = this.isItem()
      ? this.#list(this.indent, key)
      : this.#isKey()
        ? this.#map(this.indent, key)
        : this.#inline(outer, key);
    this.depth--;
    return node;
  }

  #map(indent: number, key: Place | undefined): MapNode {
    const entries = new Map<string, Node>();
    const start = this.at;
    let end = start;
    let merge: Node | undefined;
    for (;;) {
      if (this.isItem()) other();
      const from = this.at;
      const name = this.#key();
      const value = this.#value(indent, this.place(from, this.keyEnd));
      if (name === MERGE) merge = merge ? other() : value;
      else if (entries.has(name)) other();
      else entries.set(name, value);
      end = Math.max(start + 1, value.at.end);
      if (this.at >= this.text.length || this.indent < indent) break;
      if (this.indent > indent) other();
    }
    if (merge) complete(entries, merge);
    return map(entries, { at: this.place(start, end), key });
  }

  #list(indent: number, key: Place | undefined): ListNode {
    const items: Node[] = [];
    const start = this.at;
    while (this.at < this.text.length && this.indent === indent && this.isItem()) {
      this.at++;
      this.spaces();
      const mark = this.mark();
      items.push(mark ? this.marked(mark, () => this.#item(indent, true)) : this.#item(indent, false));
    }
    if (this.at < this.text.length && this.indent > indent) other();
    return list(items, { at: this.place(start, Math.max(start + 1, items.at(-1)!.at.end)), key });
  }

  /** What follows a dash. @param marked after an anchor or tag, which would be the first key's */
  #item(indent: number, marked: boolean): Node {
    if (this.endOfLine()) {
      if (!this.nextLine() || this.indent <= indent) other();
      return this.#block(indent, undefined);
    }
    if (!this.isItem() && !this.#isKey()) return this.#inline(indent, undefined);
    if (marked) other();
    // What follows the dash is a block of its own, indented to where it starts.
    this.indent = this.at - (this.text.lastIndexOf("\n", this.at) + 1);
    return this.#block(indent, undefined);
  }

  /** What follows a key's colon. */
  #value(indent: number, key: Place): Node {
    this.spaces();
    const mark = this.mark();
    if (mark) return this.marked(mark, () => this.#bareValue(indent, key));
    const node = this.#bareValue(indent, key);
    // A list may stand in its key's own column.
    const listed =
      node.kind === "scalar" &&
      node.source === "" &&
      this.indent === indent &&
      this.at < this.text.length &&
      this.isItem();
    return listed ? this.#list(indent, key) : node;
  }

  #bareValue(indent: number, key: Place): Node {
    if (!this.endOfLine()) return this.#inline(indent, key);
    return this.nextLine() && this.indent > indent ? this.#block(indent, key) : nothing(key);
  }

  /** A value on the line; goes on to the next line. */
  #inline(indent: number, key: Place | undefined): Node {
    const char = this.text[this.at]!;
    if (char === "|" || char === ">") return this.#blockText(indent, key, char);
    let node: Node;
    if (char === '"' || char === "'") {
      const start = this.at;
      const text = this.quoted();
      node = scalar(text, { at: this.place(start, this.at), key });
    } else if (char === "[" || char === "{") node = this.flow(indent, key);
    else if (char === "*") node = this.alias(key);
    else node = this.#plain(this.lineEnd(), key);
    this.spaces();
    if (!this.endOfLine()) other();
    // A line further in would go on with the text.
    if (this.nextLine() && this.indent > indent) other();
    return node;
  }

  #plain(end: number, key: Place | undefined): ScalarNode {
    const start = this.at;
    const text = this.text.slice(start, end).trimEnd();
    if (text === "" || INDICATOR.test(text[0]!) || /^[-?:](\s|$)/.test(text) || /:( |$)/.test(text)) other();
    this.at = start + text.length;
    const value = resolvePlain(text);
    const node = scalar(value, { at: this.place(start, this.at), key });
    return typeof value === "string" ? node : { ...node, source: text };
  }

  /** Reads a key and its colon. */
  #key(): string | typeof MERGE {
    const char = this.text[this.at]!;
    if (char === '"' || char === "'") {
      const text = this.quoted();
      this.keyEnd = this.at;
      if (this.text[this.at] !== ":" || !this.isBreak(this.at + 1)) other();
      this.at++;
      return text;
    }
    const colon = this.#colon();
    if (colon < 0) other();
    const text = this.text.slice(this.at, colon).trimEnd();
    if (text === "<<") {
      this.keyEnd = this.at + text.length;
      this.at = colon + 1;
      return MERGE;
    }
    if (
      text === "" ||
      INDICATOR.test(text[0]!) ||
      /^[-?](\s|$)/.test(text) ||
      typeof resolvePlain(text) !== "string"
    )
      other();
    this.keyEnd = this.at + text.length;
    this.at = colon + 1;
    return text;
  }

  /** The colon that ends a plain key in this line. */
  #colon(): number {
    const end = this.lineEnd();
    for (let at = this.at; at < end; at++) {
      if (this.text.charCodeAt(at) === COLON && this.isBreak(at + 1)) return at;
    }
    return -1;
  }

  #isKey(): boolean {
    const char = this.text[this.at]!;
    if (char === "[" || char === "{") return false;
    if (char !== '"' && char !== "'") return this.#colon() >= 0;
    const start = this.at;
    this.quoted();
    const isKey = this.text[this.at] === ":" && this.isBreak(this.at + 1);
    this.at = start;
    return isKey;
  }

  /** `|` and simple `>`. */
  #blockText(indent: number, key: Place | undefined, style: string): ScalarNode {
    const start = this.at;
    const header = /^[|>]([-+]?)[ ]*(#[^\n]*)?\n/.exec(this.text.slice(start, start + 200));
    if (!header) return other();
    let at = start + header[0].length;
    let margin = -1;
    let end = at;
    const lines: string[] = [];
    while (at < this.text.length) {
      const newline = this.text.indexOf("\n", at);
      const line = this.text.slice(at, newline < 0 ? undefined : newline);
      const content = line.search(/[^ ]/);
      if (content >= 0) {
        if (margin < 0 && content > indent) margin = content;
        if (content <= indent) break;
        if (content < margin) other();
      } else if (line.length > (margin < 0 ? 0 : margin)) other();
      lines.push(line.slice(Math.max(0, margin)));
      at = newline < 0 ? this.text.length : newline + 1;
      if (content >= 0) end = at;
    }
    if (margin < 0 || lines[0] === "") other();
    const text = blockValue(lines, style, header[1]!, this.text.endsWith("\n") || at < this.text.length);
    const node = scalar(text, { at: this.place(start, end), key });
    this.at = at - 1;
    if (at >= this.text.length) this.at = this.text.length;
    else this.nextLine();
    return node;
  }
}

/** @param ended the last line ends with a newline */
function blockValue(lines: readonly string[], style: string, chomp: string, ended: boolean): string {
  let end = lines.length;
  while (end > 0 && lines[end - 1] === "") end--;
  const kept = lines.slice(0, end);
  if (chomp === "+" || !ended) other();
  if (style === ">" && kept.some((line) => line === "" || line.startsWith(" "))) other();
  return kept.join(style === ">" ? " " : "\n") + (chomp === "-" ? "" : "\n");
}
