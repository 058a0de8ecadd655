/** `include`: whole models of other files, each with its own folder and `.env`; what the including file says wins. */
import { dirname, join } from "node:path";
import { setDefaults } from "./defaults.ts";
import { inheritVariables } from "./inherit.ts";
import type { LoadFiles, Loading } from "./loading.ts";
import { merge } from "./merge.ts";
import { isMap, itemsOf, type MapNode, mapEntries, textOf, withEntry } from "./node.ts";
import { resolvePaths } from "./paths.ts";
import { problem } from "./problems.ts";
import { localPaths } from "./remote.ts";
import { absolute, withEnvFiles } from "./source.ts";

/** Only these come over; a name, an extension or an include of the other file stays there. */
const RESOURCES = ["services", "networks", "volumes", "secrets", "configs", "models"];

/**
 * Lays the document over all that it includes.
 *
 * @throws {AppError} COMPOSE_INCLUDE, COMPOSE_FILE_MISSING, ENV_FILE_MISSING
 */
export function includeFiles(document: MapNode, file: string, loading: Loading, load: LoadFiles): MapNode {
  let model: MapNode | undefined;
  for (const entry of itemsOf(document.entries.get("include"))) {
    if (!isMap(entry)) continue;
    const included = resources(includeOne(entry, file, loading, load));
    model = model ? merge(model, withoutEqual(model, included), true) : included;
  }
  return model ? merge(model, document, true) : document;
}

/** A file that is included in two ways comes in once: laid over itself, its lists would double. */
function withoutEqual(model: MapNode, included: MapNode): MapNode {
  return mapEntries(included, (section, key) => {
    const known = model.entries.get(key);
    if (!isMap(section) || !isMap(known)) return section;
    return mapEntries(section, (resource, name) => {
      const other = known.entries.get(name);
      return other && resource.at.file === other.at.file && resource.at.start === other.at.start
        ? undefined
        : resource;
    });
  });
}

function includeOne(entry: MapNode, file: string, loading: Loading, load: LoadFiles): MapNode {
  const paths = localPaths(entry, loading.fetched);
  const main = paths[0]?.node;
  if (!main)
    throw problem("COMPOSE_INCLUDE", "an include names no file", entry.key ?? entry.at, {
      hint: "Add `path: FILE`.",
    });
  const files = paths.map(({ path }) => absolute(path, loading));
  const including = [...loading.including, file];
  if (including.includes(files[0]!)) {
    throw problem(
      "COMPOSE_INCLUDE",
      `files include each other in a circle: ${[...including, files[0]].join(" → ")}`,
      main.at,
      {
        hint: "One of them must not include the next.",
      },
    );
  }
  files.forEach((path, index) => {
    if (!loading.reader.text(path)) {
      throw problem("COMPOSE_FILE_MISSING", `there is no file ${path}`, paths[index]!.node.at, {
        hint: "The path is relative to the folder of the file that includes it.",
      });
    }
  });
  const folder = textOf(entry.entries.get("project_directory"));
  const directory = folder === undefined ? dirname(files[0]!) : absolute(folder, loading);
  const environment = withEnvFiles(
    loading.environment,
    envFiles(entry, directory, loading),
    loading.reader.files,
  );
  const inner = { ...loading, directory, environment, including };
  return inheritVariables(resolvePaths.model(setDefaults(load(files, inner)), inner), environment);
}

function envFiles(entry: MapNode, directory: string, loading: Loading): string[] {
  const { files } = loading.reader;
  const given = itemsOf(entry.entries.get("env_file"));
  if (given.length === 0) {
    const own = join(directory, ".env");
    return files.kind(own) === "file" ? [own] : [];
  }
  return given.map((node) => {
    const path = absolute(textOf(node) ?? "", loading);
    if (files.kind(path) === "file") return path;
    throw problem("ENV_FILE_MISSING", `there is no env file ${path}`, node.at, {
      hint: "The path is relative to the folder of the file that includes it.",
    });
  });
}

function resources(model: MapNode): MapNode {
  let result = model;
  for (const key of model.entries.keys())
    if (!RESOURCES.includes(key)) result = withEntry(result, key, undefined);
  return result;
}
