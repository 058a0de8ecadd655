/** Commands and health checks. */
import type { Context, Transform } from "../canonical.ts";
import { isList, list, type Node, scalar } from "../node.ts";
import { formatScalar } from "../scalars.ts";
import { splitWords, type Words, WordsError } from "../words.ts";
import { bare, fail, isText } from "./shared.ts";

export const command: Transform = (node, context) => {
  if (!isText(node)) return node;
  const split = words(node, context);
  if (split.dropped !== undefined) {
    context.problems.warn(
      "COMMAND_CUT",
      `${context.path.join(".")}: "${split.dropped}" is not run: there is no shell`,
      node.at,
      `Write it as ["sh", "-c", "…"].`,
    );
  }
  return list(
    split.words.map((word) => scalar(word, bare(node))),
    node,
  );
};

function words(node: Node & { value: string }, context: Context): Words {
  try {
    return splitWords(node.value);
  } catch (error) {
    if (error instanceof WordsError)
      throw fail(node, context, "COMPOSE_VALUE", error.message, `Write it as a list: ["sh", "-c", "…"].`);
    throw error;
  }
}

export const test: Transform = (node, context) => {
  if (isText(node)) return list([scalar("CMD-SHELL", bare(node)), bare(node)], node);
  if (!isList(node)) return node;
  const first = node.items[0];
  if (
    first &&
    !["CMD", "CMD-SHELL", "NONE"].includes(formatScalar(first.kind === "scalar" ? first.value : null))
  ) {
    throw fail(
      first,
      context,
      "COMPOSE_VALUE",
      "a list begins with CMD, CMD-SHELL or NONE",
      "Put CMD before the words, or write the test as one text.",
    );
  }
  return node;
};
