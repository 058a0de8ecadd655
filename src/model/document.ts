/** Files into one model: each document is filled, checked, made canonical, completed by what it includes and extends, and laid over the ones before. */
import { canonical } from "./canonical.ts";
import { extendServices } from "./extends.ts";
import { includeFiles } from "./include.ts";
import type { Loading } from "./loading.ts";
import { merge } from "./merge.ts";
import { type MapNode, type Node, textOf, withEntry } from "./node.ts";
import { documentsOf, prepare, readText } from "./prepare.ts";
import { problem } from "./problems.ts";

/**
 * Reads files and lays each over the ones before.
 *
 * @throws {AppErrors} all mistakes of the first file that has any
 */
export function loadFiles(paths: readonly string[], loading: Loading): MapNode {
  let model: MapNode | undefined;
  for (const path of paths) {
    for (const document of documentsOf(path, loading)) model = merge(model, read(document, path, loading));
  }
  if (model) return model;
  const file = readText(paths[0]!, loading.reader);
  throw problem(
    "COMPOSE_SYNTAX",
    "the file is empty",
    { file, start: 0, end: 1 },
    { hint: "Begin with `services:`." },
  );
}

function read(node: Node, path: string, loading: Loading): MapNode {
  const { problems } = loading;
  const document = canonical(prepare(node, loading), problems, loading.interpolation);
  problems.check();
  const version = document.entries.get("version");
  if (version)
    problems.warn(
      "VERSION_OBSOLETE",
      `${path}: the attribute \`version\` is obsolete, it will be ignored`,
      version.key,
      "Remove it.",
    );
  const included = includeFiles(document, path, loading, loadFiles);
  const extended = extendServices(included, path, loading);
  return withEntry(withEntry(extended, "include", undefined), "version", undefined);
}

/** The name that the last of the files gives the project, before any of them is loaded: it may be used as a variable. */
export function declaredName(paths: readonly string[], loading: Loading): Node | undefined {
  let name: Node | undefined;
  for (const path of paths) {
    const file = loading.reader.text(path);
    if (!file || !/^\s*["']?name["']?\s*:|^\s*\{/m.test(file.text)) continue;
    for (const document of documentsOf(path, loading)) {
      const node = document.kind === "map" ? document.entries.get("name") : undefined;
      if (textOf(node)) name = node;
    }
  }
  return name;
}
