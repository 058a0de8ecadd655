/** Builds, includes, extends, requests for devices: one text that stands for a mapping. */
import type { Transform } from "../canonical.ts";
import { isMap, isNull, list, map, type Node, scalar, withEntry } from "../node.ts";
import { problem } from "../problems.ts";
import { formatScalar } from "../scalars.ts";
import type { Scalar } from "../types.ts";
import { bare, isText, record } from "./shared.ts";
import { strings } from "./texts.ts";

export const build: Transform = (node) => (isText(node) ? map([["context", bare(node)]], node) : node);

export const extend: Transform = (node) => (isText(node) ? map([["service", bare(node)]], node) : node);

export const include: Transform = (node, context) => {
  if (isText(node)) return map([["path", list([bare(node)], bare(node))]], node);
  if (!isMap(node)) return node;
  let result = node;
  for (const key of ["path", "env_file"]) {
    const value = node.entries.get(key);
    if (value) result = withEntry(result, key, strings(value, context) as Node);
  }
  return result;
};

export const ssh: Transform = (node) => {
  if (isMap(node))
    return list(
      [...node.entries].map(([id, path]) =>
        scalar(isNull(path) ? id : `${id}=${formatScalar((path as { value: Scalar }).value)}`, bare(path)),
      ),
      node,
    );
  return isText(node) ? list([bare(node)], node) : node;
};

/** `external: {name: x}` is the old spelling of `external: true` and `name: x`. */
export const external: Transform = (node, context) => {
  const value = isMap(node) ? node.entries.get("external") : undefined;
  if (!isMap(node) || !isMap(value)) return node;
  const name = value.entries.get("name");
  const other = node.entries.get("name");
  if (name && other) {
    throw problem(
      "COMPOSE_CONFLICT",
      `${context.path.join(".")} has both name and external.name`,
      other.key ?? other.at,
      { other: name.key, hint: "Keep `name`, and write `external: true`." },
    );
  }
  const marked = withEntry(node, "external", scalar(true, bare(value)));
  return name && !node.entries.has("name") ? withEntry(marked, "name", name) : marked;
};

export const gpus: Transform = (node) =>
  isText(node) ? list([record({ count: -1 }, bare(node))], node) : node;
