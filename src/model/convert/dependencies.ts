/** What a service needs before it starts. */
import type { Transform } from "../canonical.ts";
import { isList, isMap, isNull, list, map, type Node, scalar, withEntry } from "../node.ts";
import { bare } from "./shared.ts";

export const dependsOn: Transform = (node) => {
  const yes = (from: Node): Node => scalar(true, bare(from));
  if (isList(node)) {
    return map(
      node.items.map((item) => [
        (item as { value: string }).value,
        map(
          [
            ["condition", scalar("service_started", bare(item))],
            ["required", yes(item)],
          ],
          { ...bare(item), key: item.at },
        ),
      ]),
      node,
    );
  }
  if (!isMap(node)) return node;
  return {
    ...node,
    entries: new Map(
      [...node.entries].map(([name, value]) => [
        name,
        isMap(value) && !value.entries.has("required") ? withEntry(value, "required", yes(value)) : value,
      ]),
    ),
  };
};

export const envFile: Transform = (node) => {
  if (isNull(node)) return node;
  const one = (item: Node): Node => {
    const entry = isMap(item) ? item : map([["path", bare(item)]], item);
    return entry.entries.has("required") ? entry : withEntry(entry, "required", scalar(true, bare(item)));
  };
  return isList(node) ? { ...node, items: node.items.map(one) } : list([one(bare(node))], node);
};
