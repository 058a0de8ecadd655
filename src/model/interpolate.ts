/** Fills variables into every value of a document (never into keys), and casts text where a number is needed. */

import type { Cast } from "./casts.ts";
import { CASTS, cast } from "./casts.ts";
import type { Environment } from "./environment.ts";
import { type Filling, mapEntries, mapItems, type Node, type ScalarNode } from "./node.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";
import type { Rules } from "./rules.ts";
import { fill, TemplateError } from "./template.ts";

/** @returns the document with each text filled; a text that cannot be is left as it is and named in `problems` */
export function interpolate(document: Node, environment: Environment, problems: Problems): Node {
  return walk(document, CASTS, [], environment, problems);
}

/** @param path one list for the whole walk, which grows and shrinks with it */
function walk(
  node: Node,
  rules: Rules<Cast> | undefined,
  path: string[],
  environment: Environment,
  problems: Problems,
): Node {
  const down = (value: Node, key: string, below: Rules<Cast> | undefined): Node => {
    path.push(key);
    const result = walk(value, below, path, environment, problems);
    path.pop();
    return result;
  };
  if (node.kind === "map") return mapEntries(node, (value, key) => down(value, key, rules?.below(key)));
  if (node.kind === "list")
    return mapItems(node, (item, index) => down(item, String(index), rules?.below("*")));
  if (typeof node.value !== "string") return node;
  const filled = node.value.includes("$") ? filledText(node, path, environment, problems) : node;
  return rules?.rule && filled ? casted(filled, rules.rule, path, problems) : (filled ?? node);
}

function filledText(
  node: ScalarNode,
  path: readonly string[],
  environment: Environment,
  problems: Problems,
): ScalarNode | undefined {
  const template = node.value as string;
  const filled: Filling[] = [];
  try {
    const value = fill(template, {
      value: (name) => environment.get(name),
      used(name, how) {
        if (how === "unset")
          environment.unset(name, () => within(node, template.indexOf(name), name.length), problems);
        if (!filled.some((each) => each.name === name))
          filled.push({
            name,
            from: how === "value" || how === "alternative" ? (environment.sourceOf(name) ?? "unset") : how,
          });
      },
    });
    return { ...node, value, template, filled: [...(node.filled ?? []), ...filled] };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const at = within(node, error.start, error.end - error.start);
    const where = path.join(".");
    if (error.kind === "required") {
      problems.add(
        "COMPOSE_VARIABLE",
        `${where}: ${error.variable} is required and not set${error.reason ? `: ${error.reason}` : ""}`,
        at,
        {
          hint: `Set ${error.variable} in the environment or in .env.`,
        },
      );
    } else {
      problems.add("COMPOSE_INTERPOLATION", `${where}: ${error.message}`, at, {
        hint: "Write ${NAME} or ${NAME:-default}; a dollar sign that is meant as such is written $$.",
      });
    }
    return undefined;
  }
}

/** The piece of a text's place that a variable takes up, where the text stands in the file as it is. */
function within(node: ScalarNode, start: number, length: number): Place {
  const { at } = node;
  const written = at.file.text.slice(at.start, at.end);
  const shift = written.indexOf(node.value as string);
  return shift < 0
    ? at
    : { file: at.file, start: at.start + shift + start, end: at.start + shift + start + length };
}

const WORDS = { integer: "an integer", number: "a number", boolean: "true or false" } as const;

function casted(node: ScalarNode, to: Cast, path: readonly string[], problems: Problems): ScalarNode {
  const value = cast(node.value as string, to);
  if (value !== undefined) return { ...node, value };
  const unset = node.filled?.find(({ from }) => from === "unset")?.name;
  const hint =
    unset === undefined ? undefined : `${unset} is set nowhere; write \${${unset}:-DEFAULT} or set it.`;
  problems.add("COMPOSE_TYPE", `${path.join(".")}: "${node.value}" is not ${WORDS[to]}`, node.at, { hint });
  return node;
}
