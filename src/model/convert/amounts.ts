/** Lengths of time, bytes, numbers. */
import { AppError } from "../../errors.ts";
import type { Context, Transform } from "../canonical.ts";
import { isMap, type Node } from "../node.ts";
import { problem } from "../problems.ts";
import { formatScalar } from "../scalars.ts";
import { formatDuration, parseBytes, parseDuration } from "../units.ts";
import { fail, isText } from "./shared.ts";

export const duration: Transform = (node, context) => {
  if (!isText(node)) return node;
  return { ...node, value: formatDuration(measured(node, context, parseDuration)) };
};

const UNLIMITED = new Set(["mem_limit", "memswap_limit", "memory"]);

export const bytes: Transform = (node, context) => {
  if (node.kind !== "scalar" || node.value === null) return node;
  const value = measured(node, context, parseBytes);
  // -1 is the engine's word for "no limit".
  if (value < 0 && !(value === -1 && UNLIMITED.has(context.path.at(-1)!)))
    throw fail(node, context, "COMPOSE_BYTES", "an amount of bytes is not negative");
  return { ...node, value: String(value) };
};

function measured(
  node: Node & { kind: "scalar" },
  { path }: Context,
  parse: (text: string) => number,
): number {
  try {
    return parse(formatScalar(node.value));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw problem(error.code, `${path.join(".")}: ${error.message}`, node.at, { hint: error.hint });
  }
}

export const number: Transform = (node, context) => {
  if (!isText(node)) return node;
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(node.value))
    throw fail(node, context, "COMPOSE_TYPE", `"${node.value}" is not a number`);
  return { ...node, value: Number(node.value) };
};

export const ulimit: Transform = (node) => {
  const number = (value: Node | undefined): Node | undefined =>
    value && isText(value) && /^-?\d+$/.test(value.value) ? { ...value, value: Number(value.value) } : value;
  if (!isMap(node)) return number(node)!;
  return { ...node, entries: new Map([...node.entries].map(([key, value]) => [key, number(value)!])) };
};
