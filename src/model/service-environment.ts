/** A service's variables and labels out of files: `env_file` below `environment`, `label_file` below `labels`. */
import { type EnvEntry, parseEnv, parseRawEnv } from "./dotenv.ts";
import type { Environment } from "./environment.ts";
import {
  child,
  entriesOf,
  isMap,
  itemsOf,
  type MapNode,
  map,
  type Node,
  scalar,
  textOf,
  withEntry,
} from "./node.ts";
import type { SourceText } from "./place.ts";
import { problem } from "./problems.ts";
import type { Reader } from "./source.ts";

/**
 * Reads the files that a service names, and takes their names away.
 *
 * @throws {AppError} ENV_FILE_MISSING, ENV_FILE_SYNTAX
 */
export function resolveFiles(
  name: string,
  service: MapNode,
  environment: Environment,
  reader: Reader,
): MapNode {
  const variables = withFiles(name, service, "env_file", "environment", environment, reader);
  return withFiles(name, variables, "label_file", "labels", environment, reader);
}

function withFiles(
  name: string,
  service: MapNode,
  filesKey: string,
  key: string,
  environment: Environment,
  reader: Reader,
): MapNode {
  const files = service.entries.get(filesKey);
  if (!files) return service;
  const own = service.entries.get(key);
  const entries = new Map<string, Node>();
  const outside = (variable: string): string | undefined =>
    environment.get(variable) ?? textOf(child(own, variable)) ?? textOf(entries.get(variable));
  for (const item of itemsOf(files)) {
    for (const [variable, node] of readEntries(name, item, filesKey, outside, reader))
      entries.set(variable, node);
  }
  for (const [variable, value] of entriesOf(own)) {
    const below = entries.get(variable);
    entries.set(variable, below ? { ...value, was: below } : value);
  }
  const without = withEntry(service, filesKey, undefined);
  return entries.size === 0 && !own ? without : withEntry(without, key, map(entries, own ?? files));
}

function readEntries(
  name: string,
  item: Node,
  key: string,
  outside: (variable: string) => string | undefined,
  reader: Reader,
): [string, Node][] {
  const pathNode = isMap(item) ? item.entries.get("path")! : item;
  const path = textOf(pathNode) ?? "";
  const required = child(item, "required");
  const file = reader.files.kind(path) === "directory" ? undefined : reader.text(path);
  if (!file) {
    if (required?.kind === "scalar" && required.value === false) return [];
    throw problem("ENV_FILE_MISSING", `services.${name}.${key}: there is no file ${path}`, pathNode.at, {
      hint: "Write the file, or say `required: false`.",
    });
  }
  const raw = textOf(child(item, "format")) === "raw";
  return [...(raw ? parseRawEnv : parseEnv)(file, outside)].map(([variable, entry]) => [
    variable,
    scalar(entry.value, { at: lineOf(file, entry) }),
  ]);
}

function lineOf(file: SourceText, { line }: EnvEntry): { file: SourceText; start: number; end: number } {
  const start = file.starts[line - 1] ?? 0;
  return { file, start, end: start + file.line(line).length };
}
