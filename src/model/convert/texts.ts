/** Lists and texts in their simple forms. */
import type { Transform } from "../canonical.ts";
import { isList, isMap, isNull, list, map, type Node, scalar } from "../node.ts";
import { asText, bare, fail, isText } from "./shared.ts";

export const text: Transform = asText;

export const texts: Transform = (node) =>
  isList(node) ? { ...node, items: node.items.map(asText) } : list([asText(bare(node))], node);

export const strings: Transform = (node) =>
  isText(node) ? list(node.value === "" ? [] : [bare(node)], node) : node;

/** A list of names as a mapping of names to nothing. */
export const named: Transform = (node, context) => {
  if (!isList(node)) return node;
  const extension = node.items.find((item) => isText(item) && item.value.startsWith("x-"));
  if (extension)
    throw fail(
      extension,
      context,
      "COMPOSE_VALUE",
      "a name that begins with x- is an extension",
      "Rename it.",
    );
  return map(
    node.items.map((item) => [
      (item as { value: string }).value,
      scalar(null, { ...bare(item), key: item.at }),
    ]),
    node,
  );
};

export const options: Transform = (node) =>
  isMap(node)
    ? {
        ...node,
        entries: new Map(
          [...node.entries].map(([key, value]) => [
            key,
            isNull(value) ? ({ ...value, value: "" } as Node) : asText(value),
          ]),
        ),
      }
    : node;

/** Permissions as a number. */
export const octal: Transform = (node) =>
  isText(node) && /^[0-7]+$/.test(node.value) ? { ...node, value: Number.parseInt(node.value, 8) } : node;
