/** Files into one model: each document is filled, checked, made canonical, completed by what it includes and extends, and laid over the ones before. */
import { extendServices } from "./extends.ts";
import { includeFiles } from "./include.ts";
import type { Loading } from "./loading.ts";
import { merge } from "./merge.ts";
import { child, entriesOf, type MapNode, type Node, textOf, withEntry } from "./node.ts";
import type { SourceText } from "./place.ts";
import { documentsOf, prepare, readText } from "./prepare.ts";
import { problem } from "./problems.ts";
import { checkSchema } from "./schema.ts";

/**
 * Reads files and lays each over the ones before.
 *
 * @throws {AppErrors} all mistakes of the first file that has any
 */
export function loadFiles(paths: readonly string[], loading: Loading): MapNode {
  const documents = paths.flatMap((path) => documentsOf(path, loading).map((node) => ({ node, path })));
  const [first] = documents;
  if (!first) throw empty(readText(paths[0]!, loading.reader));
  const included = loading.including.length > 0;
  const layered = documents.length > 1 || included || isCompleted(first.node);
  let model: MapNode | undefined;
  for (const { node, path } of documents) model = merge(model, read(node, path, layered, loading));
  // What every layer may leave out, the whole has to have.
  if (layered && !included) checkSchema(model!, loading.problems);
  loading.problems.check();
  return model!;
}

/** True when other files or services bring what the document lacks. */
function isCompleted(document: Node): boolean {
  return (
    child(document, "include") !== undefined ||
    [...entriesOf(child(document, "services"))].some(([, service]) => child(service, "extends"))
  );
}

const empty = (file: SourceText) =>
  problem(
    "COMPOSE_SYNTAX",
    "the file is empty",
    { file, start: 0, end: 1 },
    { hint: "Begin with `services:`." },
  );

function read(node: Node, path: string, layered: boolean, loading: Loading): MapNode {
  const { problems } = loading;
  const document = prepare(node, layered, loading);
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
