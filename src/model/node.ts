/**
 * The tree that every phase of the loader works on: YAML's values, each with the place it was written at. A phase makes
 * new nodes from old ones with `at`, so that a value keeps its place through include, extends, merge and interpolation.
 */
import type { Place } from "./place.ts";
import type { Scalar, Value } from "./types.ts";

export type Node = ScalarNode | ListNode | MapNode;

/** What every kind of node carries. */
interface Common {
  readonly at: Place;
  /** Where its key stands, for a value of a map. */
  readonly key?: Place | undefined;
  /** Compose's own YAML tags, for the merge. */
  readonly tag?: "reset" | "override" | undefined;
  /** What it took the place of in a merge. */
  readonly was?: Node | undefined;
  /** Which variables filled it. */
  readonly filled?: readonly Filling[] | undefined;
  /** Nobody wrote it: a default, placed where it belongs. */
  readonly implied?: boolean | undefined;
}

export interface ScalarNode extends Common {
  readonly kind: "scalar";
  readonly value: Scalar;
  /** As written, for a plain scalar that is no string. */
  readonly source?: string | undefined;
  /** As written, before variables were filled in. */
  readonly template?: string | undefined;
}

export interface ListNode extends Common {
  readonly kind: "list";
  readonly items: readonly Node[];
}

export interface MapNode extends Common {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Node>;
}

/** A variable that a value was filled from. */
export interface Filling {
  readonly name: string;
  /** `shell`, a file and line, `default`, or `unset`. */
  readonly from: string;
}

/** What a new node takes over from the one it stands for. */
export type Origin = Pick<Node, "at" | "key" | "tag" | "was" | "filled">;

const origin = (from: Origin): Origin => ({
  at: from.at,
  key: from.key,
  tag: from.tag,
  was: from.was,
  filled: from.filled,
});

export function scalar(value: Scalar, from: Origin): ScalarNode {
  return { kind: "scalar", value, ...origin(from) };
}

/** A value that nobody wrote, at the place of what it belongs to. */
export function implied(value: Scalar, owner: Pick<Node, "at" | "key">): ScalarNode {
  return { kind: "scalar", value, at: owner.at, key: owner.key, implied: true };
}

export function list(items: readonly Node[], from: Origin): ListNode {
  return { kind: "list", items, ...origin(from) };
}

export function map(
  entries: ReadonlyMap<string, Node> | Iterable<readonly [string, Node]>,
  from: Origin,
): MapNode {
  return { kind: "map", entries: entries instanceof Map ? entries : new Map(entries), ...origin(from) };
}

export const isMap = (node: Node | undefined): node is MapNode => node?.kind === "map";
export const isList = (node: Node | undefined): node is ListNode => node?.kind === "list";

/** True for a null, which in Compose mostly means "as if it were not written". */
export const isNull = (node: Node | undefined): boolean => node?.kind === "scalar" && node.value === null;

/** The key of a value, where it has one: the place to speak of a mapping as a whole. */
export const keyed = (node: Node): Place => node.key ?? node.at;

export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

export function child(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === "map" ? node.entries.get(key) : undefined;
}

/** The entries of a child map, and nothing when it is no map. */
export function entriesOf(node: Node | undefined): Iterable<readonly [string, Node]> {
  return node?.kind === "map" ? node.entries : [];
}

export function itemsOf(node: Node | undefined): readonly Node[] {
  return node?.kind === "list" ? node.items : [];
}

/** The map with one entry set, or taken away by `undefined`. */
export function withEntry(node: MapNode, key: string, value: Node | undefined): MapNode {
  const entries = new Map(node.entries);
  if (value === undefined) entries.delete(key);
  else entries.set(key, value);
  return { ...node, entries };
}

/** The map with each value put through `change`; what becomes `undefined` is left out. The same map if nothing changed. */
export function mapEntries(node: MapNode, change: (value: Node, key: string) => Node | undefined): MapNode {
  let entries: Map<string, Node> | undefined;
  for (const [key, value] of node.entries) {
    const next = change(value, key);
    if (next === value) continue;
    entries ??= new Map(node.entries);
    if (next === undefined) entries.delete(key);
    else entries.set(key, next);
  }
  return entries ? { ...node, entries } : node;
}

/** As `mapEntries`, for the items of a list. */
export function mapItems(node: ListNode, change: (item: Node, index: number) => Node): ListNode {
  let items: Node[] | undefined;
  for (const [index, item] of node.items.entries()) {
    const next = change(item, index);
    if (next === item) continue;
    items ??= [...node.items];
    items[index] = next;
  }
  return items ? { ...node, items } : node;
}

/** The map with a child changed, when it has that child. */
export function change(node: MapNode, key: string, work: (value: Node) => Node): MapNode {
  const value = node.entries.get(key);
  if (!value) return node;
  const next = work(value);
  return next === value ? node : withEntry(node, key, next);
}

/** The map with a value for a key that it lacks; the value's place is the map's. */
export function fallback(node: MapNode, key: string, value: Scalar): MapNode {
  return node.entries.has(key) ? node : withEntry(node, key, implied(value, node));
}

/** A collection with each map in it changed. */
export function mapMaps(node: Node, work: (item: MapNode) => MapNode): Node {
  const one = (item: Node): Node => (item.kind === "map" ? work(item) : item);
  return node.kind === "list" ? mapItems(node, one) : node.kind === "map" ? mapEntries(node, one) : node;
}

export function toValue(node: Node): Value {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toValue);
  const result: Record<string, Value> = {};
  for (const [key, value] of node.entries) define(result, key, toValue(value));
  return result;
}

/** Sets a key as data, also when it is `__proto__`. */
export function define(target: object, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else (target as Record<string, unknown>)[key] = value;
}
