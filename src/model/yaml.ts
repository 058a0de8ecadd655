/**
 * YAML text to nodes: anchors, aliases and merge keys are worked off here, so that no later phase knows of them. The
 * parser is the `yaml` package without any schema; what a plain scalar means is decided in `scalars.ts`.
 */
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
  type YAMLSeq,
  type Scalar as YamlScalar,
} from "yaml";
import { type ListNode, list, type MapNode, map, type Node, type ScalarNode, scalar } from "./node.ts";
import type { Place, SourceText } from "./place.ts";
import type { Problems } from "./problems.ts";
import { resolvePlain } from "./scalars.ts";
import { explainSyntax } from "./syntax.ts";
import type { Scalar } from "./types.ts";
import { parsePlainYaml } from "./yaml-plain.ts";

type YamlNode = YAMLMap | YAMLSeq | YamlScalar | Alias;

/** How many nodes aliases may add: a bomb of nested aliases is refused long before it fills the memory. */
const ALIAS_BUDGET = 100_000;
const MAX_DEPTH = 200;
/** A Compose file is written by people; what is larger is a mistake or an attack. */
const MAX_LENGTH = 4 * 1024 * 1024;
/** What is not plain takes a second for each megabyte, and some ten for one made to. */
const MAX_OTHER = 512 * 1024;

/**
 * Reads all documents of a file.
 *
 * @param quick try the reader for plain files first
 * @returns the documents that are not empty; what is wrong goes to `problems`
 */
export function parseYaml(file: SourceText, problems: Problems, quick = true): Node[] {
  if (file.text.length > MAX_LENGTH) {
    problems.add("COMPOSE_SYNTAX", `the file is larger than ${MAX_LENGTH / 1024 / 1024} MiB`, {
      file,
      start: 0,
      end: 1,
    });
    return [];
  }
  if (file.text.slice(0, 1000).includes("\0")) {
    problems.add(
      "COMPOSE_SYNTAX",
      "this is no UTF-8 text",
      { file, start: 0, end: 1 },
      { hint: "Save the file as UTF-8." },
    );
    return [];
  }
  if (!shallow(file, problems)) return [];
  const plain = quick ? parsePlainYaml(file) : undefined;
  if (plain) return [plain];
  if (file.text.length > MAX_OTHER) {
    problems.add(
      "COMPOSE_SYNTAX",
      `the file is larger than ${MAX_OTHER / 1024} KiB, and not as plain as a file of that size has to be`,
      { file, start: 0, end: 1 },
      {
        hint: "Write it without tabs, text over several lines and other rare forms, or in several files with `include`.",
      },
    );
    return [];
  }
  const documents = parseAllDocuments(file.text, {
    schema: "failsafe",
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
    stringKeys: false,
  });
  const result: Node[] = [];
  for (const document of documents) {
    if (document.errors.length > 0) {
      // One slip makes the parser stumble over the lines that follow; only the first is sure to be the cause.
      explainSyntax(document.errors[0]!, file, problems);
      return [];
    }
    if (document.contents === null) continue;
    const converter = new Converter(file, problems);
    const node = converter.node(document.contents as YamlNode, undefined, 0);
    if (!(node.kind === "scalar" && node.value === null)) result.push(node);
  }
  return result;
}

/** Refuses what would exhaust a recursive parser: hundreds of open brackets or block levels. */
function shallow(file: SourceText, problems: Problems): boolean {
  const open = /[[\]{}]/g;
  let depth = 0;
  for (let match = open.exec(file.text); match; match = open.exec(file.text)) {
    depth += match[0] === "[" || match[0] === "{" ? 1 : depth > 0 ? -1 : 0;
    // Brackets inside text close again; a run this long that does not is no text.
    if (depth > MAX_DEPTH * 2) return tooDeep(file, match.index, problems);
  }
  const line = /^( *(?:[-?] +)*)[^\s#]/gm;
  const indents: number[] = [];
  for (let match = line.exec(file.text); match; match = line.exec(file.text)) {
    const indent = match[1]!.length;
    while (indents.length > 0 && indents.at(-1)! >= indent) indents.pop();
    indents.push(indent);
    if (indents.length > MAX_DEPTH || match[1]!.split(/[-?]/).length > MAX_DEPTH)
      return tooDeep(file, match.index, problems);
  }
  return true;
}

function tooDeep(file: SourceText, start: number, problems: Problems): false {
  problems.add("COMPOSE_SYNTAX", "values are nested too deeply", { file, start, end: start + 1 });
  return false;
}

class Converter {
  readonly #file: SourceText;
  readonly #problems: Problems;
  /** Finished anchors, with the number of nodes below them; an anchor is absent while its own value is read. */
  readonly #anchors = new Map<string, { readonly node: Node; readonly size: number }>();
  readonly #open = new Set<string>();
  #count = 0;
  #aliased = 0;

  constructor(file: SourceText, problems: Problems) {
    this.#file = file;
    this.#problems = problems;
  }

  node(node: YamlNode | null, key: Place | undefined, depth: number): Node {
    if (node === null) return scalar(null, { at: key ?? this.#place(0, 0), key });
    if (depth > MAX_DEPTH) {
      this.#problems.add("COMPOSE_SYNTAX", "values are nested too deeply", this.#of(node));
      return scalar(null, { at: this.#of(node), key });
    }
    if (isAlias(node)) return this.#alias(node, key);
    const { anchor } = node;
    const before = this.#count++;
    if (anchor !== undefined) {
      this.#anchors.delete(anchor);
      this.#open.add(anchor);
    }
    const result = { ...this.#value(node, key, depth), ...tagged(node) } as Node;
    if (anchor !== undefined) {
      this.#open.delete(anchor);
      this.#anchors.set(anchor, { node: result, size: this.#count - before });
    }
    return result;
  }

  #alias(alias: Alias, key: Place | undefined): Node {
    const at = this.#of(alias);
    const target = this.#anchors.get(alias.source);
    if (!target) {
      const open = this.#open.has(alias.source);
      this.#problems.add(
        "COMPOSE_SYNTAX",
        open ? `anchor "${alias.source}" contains itself` : `there is no anchor "&${alias.source}" above`,
        at,
        {
          hint: open
            ? "An alias must not stand inside the value that its anchor names."
            : `Write "&${alias.source}" before the value that is meant.`,
        },
      );
      return scalar(null, { at, key });
    }
    this.#count += target.size;
    this.#aliased += target.size;
    if (this.#aliased > ALIAS_BUDGET) {
      if (this.#aliased - target.size <= ALIAS_BUDGET) {
        this.#problems.add(
          "COMPOSE_SYNTAX",
          `aliases expand to more than ${ALIAS_BUDGET.toLocaleString("en")} values`,
          at,
          {
            hint: "Aliases of aliases multiply; name fewer of them.",
          },
        );
      }
      return scalar(null, { at, key });
    }
    return { ...target.node, key };
  }

  #value(node: YAMLMap | YAMLSeq | YamlScalar, key: Place | undefined, depth: number): Node {
    if (isMap(node)) return this.#map(node, key, depth);
    if (isSeq(node)) return this.#list(node, key, depth);
    return this.#scalar(node, key);
  }

  #scalar(node: YamlScalar, key: Place | undefined): ScalarNode {
    const text = typeof node.value === "string" ? node.value : (node.source ?? "");
    const at = text === "" && node.type === "PLAIN" && key ? key : this.#of(node);
    const value = typed(text, node);
    const result = scalar(value, { at, key });
    return typeof value === "string" ? result : { ...result, source: text };
  }

  #list(node: YAMLSeq, key: Place | undefined, depth: number): ListNode {
    const items = node.items.map((item) => this.node(item as YamlNode, undefined, depth + 1));
    return list(items, { at: this.#block(node, items.at(-1)), key });
  }

  #map(node: YAMLMap, key: Place | undefined, depth: number): MapNode {
    const entries = new Map<string, Node>();
    const merges: Node[] = [];
    let last: Node | undefined;
    for (const pair of node.items as Pair<YamlNode, YamlNode | null>[]) {
      const at = this.#of(pair.key);
      const name = this.#key(pair.key, at);
      if (name === undefined) continue;
      const value = this.node(pair.value, at, depth + 1);
      last = value;
      if (name === MERGE) {
        if (merges.length > 0)
          this.#problems.add("COMPOSE_SYNTAX", "`<<` is given twice", at, {
            hint: "Write one: `<<: [*first, *second]`.",
          });
        merges.push(value);
        continue;
      }
      const before = entries.get(name);
      if (before?.key) {
        this.#problems.add("COMPOSE_SYNTAX", `"${name}" is given twice`, at, {
          other: before.key,
          hint: `The first one is in line ${this.#file.position(before.key.start).line}. Keep one of them.`,
        });
      }
      entries.set(name, value);
    }
    for (const merge of merges) this.#merge(entries, merge);
    return map(entries, { at: this.#block(node, last), key });
  }

  #key(node: YamlNode, at: Place): string | typeof MERGE | undefined {
    if (isScalar(node) && node.type === "PLAIN" && node.value === "<<") return MERGE;
    const value = isAlias(node)
      ? this.node(node, at, 0)
      : isScalar(node)
        ? this.#scalar(node, at)
        : undefined;
    if (value?.kind === "scalar" && typeof value.value === "string") return value.value;
    const text = value?.kind === "scalar" ? (value.source ?? "null") : undefined;
    this.#problems.add(
      "COMPOSE_SYNTAX",
      text === undefined ? "a key must be text" : `the key ${text || "null"} is not text`,
      at,
      {
        hint: text ? `Put it in quotes: "${text}".` : undefined,
      },
    );
    return undefined;
  }

  /** `<<`: what the map does not say itself; of several, the first wins. */
  #merge(entries: Map<string, Node>, merge: Node): void {
    for (const source of merge.kind === "list" ? merge.items : [merge]) {
      if (source.kind !== "map") {
        this.#problems.add("COMPOSE_SYNTAX", "`<<` takes a mapping or a list of mappings", source.at, {
          hint: "Name one with an alias, such as `<<: *defaults`.",
        });
        continue;
      }
      for (const [name, value] of source.entries) if (!entries.has(name)) entries.set(name, value);
    }
  }

  /** A block ends with its last value; the parser counts the line's end in. */
  #block(node: YAMLMap | YAMLSeq, last: Node | undefined): Place {
    const at = this.#of(node);
    return last && !node.flow ? { ...at, end: Math.max(at.start + 1, last.at.end) } : at;
  }

  #of(node: YamlNode): Place {
    const range = node.range;
    return range ? this.#place(range[0], Math.max(range[1], range[0] + 1)) : this.#place(0, 0);
  }

  #place(start: number, end: number): Place {
    return { file: this.#file, start, end };
  }
}

const MERGE = Symbol("<<");

function typed(text: string, node: YamlScalar): Scalar {
  const tag = node.tag?.replace("tag:yaml.org,2002:", "");
  if (tag === "str") return text;
  if (tag === "int" || tag === "float" || tag === "bool" || tag === "null") return resolvePlain(text);
  return node.type === "PLAIN" ? resolvePlain(text) : text;
}

function tagged(node: YAMLMap | YAMLSeq | YamlScalar): { tag?: "reset" | "override" } {
  if (node.tag === "!reset") return { tag: "reset" };
  if (node.tag === "!override") return { tag: "override" };
  return {};
}
