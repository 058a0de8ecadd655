/** `KEY=value` lists as mappings. */
import type { Transform } from "../canonical.ts";
import { isList, isMap, isNull, map, type Node } from "../node.ts";
import { asText, isText } from "./shared.ts";

const pairs = (node: Node, absent: string | null): Node => {
  if (isMap(node)) {
    return {
      ...node,
      entries: new Map(
        [...node.entries].map(([key, value]) => [
          key,
          isNull(value) && absent !== null ? ({ ...value, value: absent } as Node) : asText(value),
        ]),
      ),
    };
  }
  if (!isList(node)) return node;
  const entries = new Map<string, Node>();
  for (const item of node.items) {
    if (!isText(item)) continue;
    const equals = item.value.indexOf("=");
    const key = equals < 0 ? item.value : item.value.slice(0, equals);
    entries.set(key, { ...item, key: item.at, value: equals < 0 ? absent : item.value.slice(equals + 1) });
  }
  return map(entries, node);
};

/** `KEY` alone keeps null: its value comes from the environment. */
export const variables: Transform = (node) => pairs(node, null);

/** `KEY` alone is empty. */
export const keyValues: Transform = (node) => pairs(node, "");
