/** Values in brackets, anchors and aliases of plain YAML, below the reader of `yaml-plain.ts`. */
import { type ListNode, list, type MapNode, map, type Node, type ScalarNode, scalar } from "./node.ts";
import type { Place } from "./place.ts";
import { resolvePlain } from "./scalars.ts";
import { INDICATOR, other, Scanner } from "./yaml-scan.ts";

export const MAX_DEPTH = 60;
/** As in `yaml.ts`: an alias counts with all that it stands for. */
const ALIAS_BUDGET = 100_000;

export interface Mark {
  readonly anchor: string | undefined;
  readonly tag: Node["tag"];
}

/** The key `<<`. */
export const MERGE = Symbol("<<");

/** `<<`: what the mapping does not say itself; of several, the first wins. */
export function complete(entries: Map<string, Node>, merge: Node): void {
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

/** A key without a value. */
export const nothing = (key: Place): ScalarNode => ({ ...scalar(null, { at: key, key }), source: "" });

/** Brackets. */
export class FlowReader extends Scanner {
  readonly #anchors = new Map<string, { readonly node: Node; readonly size: number }>();
  #aliased = 0;

  protected keyEnd = 0;

  /** `&name`, `!reset` and `!override` before a value. */
  protected mark(): Mark | undefined {
    let anchor: string | undefined;
    let tag: Node["tag"];
    for (;;) {
      const char = this.text[this.at];
      if (char !== "&" && char !== "!") break;
      const word = this.word();
      if (char === "&") anchor = anchor === undefined && word.length > 1 ? word.slice(1) : other();
      else
        tag =
          tag === undefined && (word === "!reset" || word === "!override")
            ? (word.slice(1) as Node["tag"])
            : other();
      if (!this.isBreak(this.at)) other();
      this.spaces();
    }
    return anchor === undefined && tag === undefined ? undefined : { anchor, tag };
  }

  protected marked({ anchor, tag }: Mark, read: () => Node): Node {
    if (anchor !== undefined) this.#anchors.delete(anchor);
    const node = read();
    const result = tag === undefined ? node : { ...node, tag };
    if (anchor !== undefined) this.#anchors.set(anchor, { node: result, size: sizeOf(result) });
    return result;
  }

  protected alias(key: Place | undefined): Node {
    const target = this.#anchors.get(this.word().slice(1)) ?? other();
    this.#aliased += target.size;
    if (this.#aliased > ALIAS_BUDGET) other();
    return { ...target.node, key };
  }

  /** Values in brackets, also over several lines. */
  protected flow(indent: number, key: Place | undefined): Node {
    if (++this.depth > MAX_DEPTH) other();
    const node = this.text[this.at] === "[" ? this.#flowList(indent, key) : this.#flowMap(indent, key);
    this.depth--;
    return node;
  }

  #flowList(indent: number, key: Place | undefined): ListNode {
    const start = this.at++;
    const items: Node[] = [];
    this.#flowSpace(indent);
    while (this.text[this.at] !== "]") {
      items.push(this.flowValue(indent, undefined));
      this.#flowSpace(indent);
      if (this.text[this.at] === ",") {
        this.at++;
        this.#flowSpace(indent);
      } else if (this.text[this.at] !== "]") other();
    }
    this.at++;
    return list(items, { at: this.place(start, this.at), key });
  }

  #flowMap(indent: number, key: Place | undefined): MapNode {
    const start = this.at++;
    const entries = new Map<string, Node>();
    let merge: Node | undefined;
    this.#flowSpace(indent);
    while (this.text[this.at] !== "}") {
      const from = this.at;
      const name = this.#flowKey();
      const place = this.place(from, this.keyEnd);
      this.#flowSpace(indent);
      const empty = this.text[this.at] === "," || this.text[this.at] === "}";
      const value = empty ? nothing(place) : this.flowValue(indent, place);
      if (name === MERGE) merge = merge ? other() : value;
      else if (entries.has(name)) other();
      else entries.set(name, value);
      this.#flowSpace(indent);
      if (this.text[this.at] === ",") {
        this.at++;
        this.#flowSpace(indent);
      } else if (this.text[this.at] !== "}") other();
    }
    this.at++;
    if (merge) complete(entries, merge);
    return map(entries, { at: this.place(start, this.at), key });
  }

  #flowKey(): string | typeof MERGE {
    const quoted = this.text[this.at] === '"' || this.text[this.at] === "'";
    const text = quoted ? this.quoted() : this.#flowWord();
    this.keyEnd = this.at;
    if (!quoted && typeof resolvePlain(text) !== "string") other();
    if (this.text[this.at] !== ":") other();
    this.at++;
    // Between brackets `{a:b}` is one word; after a quoted key the colon needs no space.
    if (!quoted && !this.isBreak(this.at) && !/[,\]}]/.test(this.text[this.at]!)) other();
    return !quoted && text === "<<" ? MERGE : text;
  }

  protected flowValue(indent: number, key: Place | undefined): Node {
    const mark = this.mark();
    if (mark) return this.marked(mark, () => this.flowValue(indent, key));
    const char = this.text[this.at];
    if (char === "[" || char === "{") return this.flow(indent, key);
    if (char === "*") {
      const node = this.alias(key);
      this.#flowSpace(indent);
      return /[,\]}]/.test(this.text[this.at]!) ? node : other();
    }
    const start = this.at;
    if (char === '"' || char === "'") {
      const text = this.quoted();
      if (this.text[this.at] === ":") other();
      return scalar(text, { at: this.place(start, this.at), key });
    }
    const text = this.#flowWord();
    if (this.text[this.at] === ":") other();
    const value = resolvePlain(text);
    const node = scalar(value, { at: this.place(start, this.at), key });
    return typeof value === "string" ? node : { ...node, source: text };
  }

  /** A plain word between brackets: up to a comma, a bracket, or a colon with a space. */
  #flowWord(): string {
    const start = this.at;
    let at = start;
    for (; at < this.text.length; at++) {
      const char = this.text[at]!;
      if (char === "," || char === "[" || char === "]" || char === "{" || char === "}" || char === "\n")
        break;
      if (char === ":" && (this.isBreak(at + 1) || /[,[\]{}]/.test(this.text[at + 1]!))) break;
      if (char === "#" && this.text[at - 1] === " ") break;
    }
    const text = this.text.slice(start, at).trimEnd();
    if (text === "" || INDICATOR.test(text[0]!) || /^[-?:](\s|$)/.test(text)) other();
    this.at = start + text.length;
    // A word that goes on in the next line is for the other reader.
    if (!/^ *(#[^\n]*)?(\n|[,\]}:[{]|$)/.test(this.text.slice(this.at, this.at + 200))) other();
    return text;
  }

  /** Spaces, comments and line ends between brackets. */
  #flowSpace(indent: number): void {
    for (;;) {
      this.spaces();
      if (this.text[this.at] === "#" && /[\s]/.test(this.text[this.at - 1]!)) {
        const end = this.text.indexOf("\n", this.at);
        this.at = end < 0 ? other() : end;
      }
      if (this.text[this.at] !== "\n") break;
      this.at++;
      const start = this.at;
      this.spaces();
      const char = this.text[this.at];
      if (char !== "\n" && char !== "#" && this.at - start <= indent) other();
    }
    if (this.at >= this.text.length) other();
  }
}
