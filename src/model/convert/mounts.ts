/** Mounts, devices, secrets and configs. */
import { posix } from "node:path";
import type { Context, Transform } from "../canonical.ts";
import { MountError, parseMount } from "../mounts.ts";
import { change, isMap, type Node } from "../node.ts";
import { fail, isText, record } from "./shared.ts";

export const mount: Transform = (node, context) => {
  if (!isText(node)) return isMap(node) ? change(node, "target", cleaned) : node;
  try {
    const { unknown, ...fields } = parseMount(node.value);
    if (unknown) {
      const options = unknown.map((option) => `"${option}"`).join(", ");
      context.problems.warn(
        "MOUNT_OPTION",
        `${context.path.join(".")}: nobody knows the option ${options}`,
        node.at,
      );
    }
    return change(record(fields, node), "target", cleaned);
  } catch (error) {
    if (error instanceof MountError)
      throw fail(node, context, "COMPOSE_VALUE", error.message, "Write it as [SOURCE:]TARGET[:OPTIONS].");
    throw error;
  }
};

/** `/a/../b/` is `/b`: mounts are told apart by their target. */
function cleaned(node: Node): Node {
  if (!isText(node) || node.value === "") return node;
  const value = posix.normalize(node.value).replace(/(.)\/$/, "$1");
  return value === node.value ? node : ({ ...node, value } as Node);
}

export const device: Transform = (node, context) => {
  if (!isText(node)) return node;
  const parts = node.value.split(":");
  const [source, target, permissions = "rwm"] = parts;
  if (parts.length > 3 || !source)
    throw fail(
      node,
      context,
      "COMPOSE_VALUE",
      `"${node.value}" is no device`,
      "Write it as HOST[:CONTAINER[:rwm]].",
    );
  return record({ source, target: target || source, permissions: permissions || undefined }, node);
};

export const fileMount: Transform = (node, context) => {
  if (isText(node)) return record({ source: node.value }, node);
  return isMap(node) ? change(node, "mode", (mode) => permissions(mode, context)) : node;
};

/** Octal digits: a number of YAML, whose leading zero has told that already, or text as people mean it. */
function permissions(node: Node, context: Context): Node {
  if (node.kind !== "scalar" || node.value === null) return node;
  const text =
    typeof node.value === "number"
      ? node.value.toString(8)
      : /^(?:0o)?([0-7]{1,5})$/.exec(String(node.value))?.[1];
  if (text === undefined)
    throw fail(
      node,
      context,
      "COMPOSE_VALUE",
      `"${node.value}" is no file mode`,
      "Write it in octal, such as 0440.",
    );
  return { ...node, value: text.replace(/^0+(?=.{3})/, "").padStart(4, "0") };
}
