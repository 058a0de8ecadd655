/** Where values come from: what the nodes remember of their files, variables and predecessors, told for people. */

import type { Node } from "./node.ts";
import { positionOf } from "./place.ts";
import { formatScalar } from "./scalars.ts";
import type { Path, Provenance } from "./types.ts";

/** @param path of the node, from the project's root */
export function provenance(node: Node, path: Path): Provenance {
  const children =
    node.kind === "map"
      ? [...node.entries].map(([key, value]) => provenance(value, [...path, key]))
      : node.kind === "list"
        ? node.items.map((item, index) => provenance(item, [...path, index]))
        : [];
  return { path, ...story(node), replaced: replacedBy(node), children };
}

function story(node: Node): Omit<Provenance, "path" | "replaced"> {
  const template = node.kind === "scalar" ? node.template : undefined;
  return {
    value: node.kind === "scalar" ? node.value : undefined,
    at: positionOf(node.kind === "scalar" ? node.at : (node.key ?? node.at)),
    ...(template !== undefined && { template }),
    variables: node.filled ?? [],
    implied: node.implied === true,
    children: [],
  };
}

/** A mapping or list that was merged has not lost; its parts tell what did. */
function replacedBy(node: Node): Provenance["replaced"] {
  const lost = [];
  for (let before = node.was; before; before = before.was)
    if (node.kind === "scalar" || before.kind !== node.kind) lost.push(story(before));
  return lost;
}

/** @param from of a variable: `shell`, `default`, `unset`, a file and line, … */
const variableText = ({ name, from }: Provenance["variables"][number]): string =>
  `${name}: ${from === "unset" ? "set nowhere" : from === "default" ? "its default" : `from ${from}`}`;

/**
 * One line for each value, with what filled it; what lost is below it, further in.
 *
 * @param shorten makes a path of a file short, such as relative to where the user is
 */
export function printProvenance(root: Provenance, shorten: (file: string) => string): string[] {
  if (root.children.length > 0) return root.children.flatMap((child) => printProvenance(child, shorten));
  const lines = [`${root.path.join(".")} = ${valueText(root)}`, `  ${line(root, shorten)}`];
  for (const lost of root.replaced) lines.push(`  ${line(lost, shorten)}  lost: ${valueText(lost)}`);
  return lines;
}

function line(told: Omit<Provenance, "path" | "replaced">, shorten: (file: string) => string): string {
  const place = told.at ? `${shorten(told.at.file)}:${told.at.line}:${told.at.column}` : "nowhere";
  const shown = (from: string): string => {
    const [, file, number] = /^(\/.*):(\d+)$/.exec(from) ?? [];
    return file === undefined ? from : `${shorten(file)}:${number}`;
  };
  const variables = told.variables.map((variable) =>
    variableText({ ...variable, from: shown(variable.from) }),
  );
  const notes = [told.template, ...variables, told.implied ? "default" : undefined].filter(
    (note) => note !== undefined,
  );
  return notes.length > 0 ? `${place}  ${notes.join(", ")}` : place;
}

const valueText = ({ value }: { readonly value: Provenance["value"] }): string =>
  value === undefined ? "{}" : value === null ? "null" : formatScalar(value);

/** The values of a tree, one after the other, with their paths as text: the JSON form of `printProvenance`. */
export function flatten(root: Provenance): object[] {
  if (root.children.length > 0) return root.children.flatMap(flatten);
  const { path, children: _, ...told } = root;
  return [
    { path: path.join("."), ...told, replaced: told.replaced.map(({ children: _none, ...lost }) => lost) },
  ];
}
