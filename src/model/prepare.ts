/** The steps that a document goes through before anything else is looked at, and the reading of its text. */
import { basename, dirname } from "node:path";
import { AppError } from "../errors.ts";
import { canonical } from "./canonical.ts";
import { interpolate } from "./interpolate.ts";
import type { Loading } from "./loading.ts";
import { isMap, type MapNode, type Node } from "./node.ts";
import type { Place, SourceText } from "./place.ts";
import { problem } from "./problems.ts";
import { checkSchema } from "./schema.ts";
import type { Reader } from "./source.ts";
import { uniqueItems } from "./unique.ts";
import { parseYaml } from "./yaml.ts";

/**
 * Fills a document, checks its form, and makes it canonical.
 *
 * @param layered other documents may bring what it lacks
 * @throws {AppErrors} every mistake of the document
 */
export function prepare(node: Node, layered: boolean, loading: Loading): MapNode {
  const { problems } = loading;
  if (!isMap(node)) {
    throw problem("COMPOSE_TYPE", "a compose file is a mapping of services, networks, volumes, …", node.at, {
      hint: "Begin with `services:`.",
    });
  }
  const filled = loading.interpolation ? interpolate(node, loading.environment, problems) : node;
  const unique = uniqueItems(filled as MapNode);
  checkSchema(unique, problems, { partial: layered });
  // The short forms are looked at also where the schema found something, so that all mistakes are told at once.
  const document = uniqueItems(canonical(unique, problems, loading.interpolation));
  problems.check();
  return document;
}

/** @throws {AppError} COMPOSE_FILE_MISSING, told where `at` names the file */
export function readText(path: string, reader: Reader, at?: Place): SourceText {
  const file = reader.text(path);
  if (file) return file;
  const hint = at
    ? `Look into ${dirname(path)}; the path is relative to the folder of ${basename(at.file.path)}.`
    : "Look at the path, or name another file with -f.";
  const message = `there is no file ${path}`;
  throw at
    ? problem("COMPOSE_FILE_MISSING", message, at, { hint })
    : new AppError("COMPOSE_FILE_MISSING", message, { hint });
}

/** The documents of a file, which is parsed once. @throws {AppErrors} COMPOSE_SYNTAX */
export function documentsOf(path: string, loading: Loading, at?: Place): readonly Node[] {
  const before = loading.parsed.get(path);
  if (before) return before;
  const documents = parseYaml(readText(path, loading.reader, at), loading.problems);
  loading.problems.check();
  loading.parsed.set(path, documents);
  return documents;
}
