/** What the short forms have in common. */
import type { AppError, FailureCode } from "../../errors.ts";
import type { Context } from "../canonical.ts";
import { type MapNode, map, type Node, scalar } from "../node.ts";
import { problem } from "../problems.ts";
import { formatScalar } from "../scalars.ts";
import type { Scalar } from "../types.ts";

export const isText = (node: Node): node is Node & { kind: "scalar"; value: string } =>
  node.kind === "scalar" && typeof node.value === "string";

export function fail(
  node: Node,
  { path }: Context,
  code: FailureCode,
  message: string,
  hint?: string,
): AppError {
  return problem(code, `${path.join(".")}: ${message}`, node.at, { hint });
}

/** A mapping of plain values at one place. */
export function record(fields: object, from: Node): MapNode {
  const entries = new Map<string, Node>();
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined)
      entries.set(
        key,
        typeof value === "object" && value !== null
          ? record(value, { ...from, key: undefined, tag: undefined })
          : scalar(value as Scalar, bare(from)),
      );
  }
  return map(entries, from);
}

/** The same place, without what belongs to the value there as a whole. */
export const bare = (from: Node): Node => ({ ...from, tag: undefined, was: undefined });

export const asText = (node: Node): Node =>
  node.kind === "scalar" && typeof node.value !== "string" && node.value !== null
    ? { ...node, value: formatScalar(node.value, node.source) }
    : node;
