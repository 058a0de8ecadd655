import { dirname, isAbsolute, join } from "node:path";
import { child, type Node, textOf } from "../model/node.ts";
import { type Place, positionOf, type SourceText } from "../model/place.ts";
import type { Project } from "../model/types.ts";
import { cursorAt, offsetOf } from "./cursor.ts";
import { type Documents, toUri } from "./documents.ts";
import { referredSection } from "./names.ts";
import type { Location, Position, Range } from "./protocol.ts";

/** Where a service, network, volume, secret, config, base, file or variable is declared. */
export async function define(
  documents: Documents,
  path: string,
  position: Position,
  project: () => Promise<Project | undefined>,
): Promise<Location | undefined> {
  const tree = documents.tree(path);
  const offset = offsetOf(documents.text(path), position);
  const anchor = anchorOf(documents.text(path), offset);
  if (anchor) return locationOf(anchor);
  const cursor = tree && cursorAt(tree, offset);
  if (!cursor) return undefined;
  const node = at(tree, cursor.path);
  const word = cursor.onKey ? cursor.path.at(-1)! : (textOf(node) ?? "");
  const variable = variableAt(documents.text(path).text, offset);
  if (variable) return await variableLocation(variable, documents, project);
  const file = fileOf(cursor.path, word, path);
  if (file && documents.files.kind(file) === "file") return { uri: toUri(file), range: START };
  const section = referredSection(cursor.path);
  if (!section) return undefined;
  const name = section === "volumes" || section === "services" ? word.split(":")[0]! : word;
  const base =
    cursor.path[2] === "extends" ? textOf(child(at(tree, cursor.path.slice(0, -1)), "file")) : undefined;
  if (base !== undefined) return declaration(documents.tree(join(dirname(path), base)), section, name);
  return declaration(tree, section, name) ?? (await projectPlace(project, section, name));
}

const START: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

function at(tree: Node, path: readonly string[]): Node | undefined {
  return path.reduce<Node | undefined>(
    (node, key) => (node?.kind === "list" ? node.items[Number(key)] : child(node, key)),
    tree,
  );
}

function declaration(tree: Node | undefined, section: string, name: string): Location | undefined {
  const node = child(child(tree, section), name);
  return node && locationOf(node.key ?? node.at);
}

async function projectPlace(
  project: () => Promise<Project | undefined>,
  section: string,
  name: string,
): Promise<Location | undefined> {
  const place = (await project())?.positionOf([section, name]);
  if (!place) return undefined;
  const start = { line: place.line - 1, character: place.column - 1 };
  return {
    uri: toUri(place.file),
    range: { start, end: { ...start, character: start.character + name.length } },
  };
}

/** Files that other files name. */
function fileOf(path: readonly string[], word: string, from: string): string | undefined {
  const names =
    (path[0] === "include" ||
      path.at(-1) === "file" ||
      path.includes("env_file") ||
      path.includes("label_file") ||
      path.at(-1) === "dockerfile") &&
    word !== "";
  return names ? (isAbsolute(word) ? word : join(dirname(from), word)) : undefined;
}

/** Where the anchor stands that an alias names. */
function anchorOf(file: SourceText, offset: number): Place | undefined {
  for (const match of file.text.matchAll(/(?<=[\s,[{:])\*([^\s,[\]{}]+)/g)) {
    if (offset < match.index || offset > match.index + match[0].length) continue;
    const name = match[1]!.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const before = file.text.slice(0, match.index);
    const anchor = [...before.matchAll(new RegExp(`(?<=[\\s,[{:])&${name}(?=[\\s,]|$)`, "g"))].at(-1);
    if (anchor) return { file, start: anchor.index, end: anchor.index + anchor[0].length };
  }
  return undefined;
}

function variableAt(text: string, offset: number): string | undefined {
  for (const match of text
    .slice(text.lastIndexOf("\n", offset - 1) + 1)
    .split("\n", 1)[0]!
    .matchAll(/\$\{?([A-Za-z_]\w*)/g)) {
    const start = text.lastIndexOf("\n", offset - 1) + 1 + match.index;
    if (start <= offset && offset <= start + match[0].length) return match[1];
  }
  return undefined;
}

/** The line of the env file that sets a variable. */
async function variableLocation(
  name: string,
  documents: Documents,
  project: () => Promise<Project | undefined>,
): Promise<Location | undefined> {
  const loaded = await project();
  for (const file of [...(loaded?.envFiles ?? []), ...(loaded ? [join(loaded.workingDir, ".env")] : [])]) {
    const lines = (documents.files.read(file) ?? "").split("\n");
    const line = lines.findIndex((text) => new RegExp(`^\\s*(export\\s+)?${name}\\s*[=:]`).test(text));
    if (line >= 0)
      return {
        uri: toUri(file),
        range: { start: { line, character: 0 }, end: { line, character: lines[line]!.length } },
      };
  }
  return undefined;
}

export function rangeOf(place: Place): Range {
  const start = positionOf(place);
  const end = place.file.position(place.end);
  return {
    start: { line: start.line - 1, character: start.column - 1 },
    end: { line: end.line - 1, character: end.column - 1 },
  };
}

const locationOf = (place: Place): Location => ({ uri: toUri(place.file.path), range: rangeOf(place) });
