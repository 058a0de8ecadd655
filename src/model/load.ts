/**
 * Compose files to a `Project`, in phases. Every phase takes a tree of nodes and gives a new one; a node knows the place it
 * was written at, and keeps it. Only `source.ts` reads, and a mistake never stops at the first: all of a file are told.
 */
import { checkConsistency } from "./consistency.ts";
import { setDefaults } from "./defaults.ts";
import { declaredName, loadFiles } from "./document.ts";
import { inheritVariables } from "./inherit.ts";
import { interpolate } from "./interpolate.ts";
import { lint, unsilenced } from "./lint.ts";
import type { Loading } from "./loading.ts";
import { projectName } from "./name.ts";
import { isMap, type MapNode, map, mapEntries, withEntry } from "./node.ts";
import { normalize } from "./normalize.ts";
import { realWatchPaths, resolvePaths } from "./paths.ts";
import { positionOf } from "./place.ts";
import { Problems, problem } from "./problems.ts";
import { splitServices } from "./profiles.ts";
import { toProject } from "./project.ts";
import { type Fetched, RemoteNeeded } from "./remote.ts";
import { checkResources, dropUnused } from "./resources.ts";
import { resolveFiles } from "./service-environment.ts";
import { disk, type Files, locate, Reader } from "./source.ts";
import type { Project, ProjectSource } from "./types.ts";

/**
 * Loads a project.
 *
 * @param files reads in place of the disk, for editors and tests
 * @throws {AppErrors} all mistakes of the first file, or of the model as a whole; {AppError} what concerns no one file
 */
export async function load(source: ProjectSource, files: Files = disk): Promise<Project> {
  const fetched = new Map<string, string>();
  let stdin: Promise<string> | undefined;
  const once: ProjectSource = { ...source, stdin: source.stdin && (() => (stdin ??= source.stdin!())) };
  // Loading itself waits for nothing: where it meets a file of another machine, it begins again when that is here.
  for (;;) {
    try {
      return await loadOnce(once, files, fetched);
    } catch (error) {
      if (!(error instanceof RemoteNeeded)) throw error;
      const { remote, at } = error;
      if (!source.fetch)
        throw problem(
          "COMPOSE_REMOTE",
          `${remote.address} is not on this machine, and nothing is fetched here`,
          at,
        );
      fetched.set(remote.address, await source.fetch(remote, at && positionOf(at)));
    }
  }
}

async function loadOnce(source: ProjectSource, files: Files, fetched: Fetched): Promise<Project> {
  const problems = new Problems();
  const skip = source.skip ?? {};
  const located = locate(source, files, problems, fetched);
  const reader = new Reader(files, located.files.includes("-") ? await source.stdin?.() : undefined);
  const first: Loading = {
    reader,
    problems,
    environment: located.environment,
    directory: located.workingDir,
    home: located.home,
    including: [],
    parsed: new Map(),
    interpolation: !skip.interpolation,
    fetched,
  };

  const declared = declaredName(located.files, first);
  const name = projectName(
    located.projectName,
    declared && first.interpolation ? interpolate(declared, first.environment, problems) : declared,
    located.workingDir,
  );
  problems.check();
  const environment = located.environment.with("COMPOSE_PROJECT_NAME", name, "project name");

  const merged = loadFiles(located.files, { ...first, environment });
  const defaulted = setDefaults(merged);
  checkResources(defaulted, problems);
  const absolute = skip.paths ? defaulted : resolvePaths.model(defaulted, first);
  const inherited = skip.interpolation ? absolute : inheritVariables(absolute, environment);
  const whole = skip.normalization ? inherited : normalize(inherited, name);

  const services = servicesOf(whole);
  const { enabled, disabled } = splitServices(services, located.profiles, source.services ?? []);
  if (!skip.consistency && !skip.interpolation)
    checkConsistency({ services: enabled, disabled, model: whole }, problems);
  problems.check();

  const watched = skip.paths ? enabled : realWatchPaths(enabled, files);
  const resolved = skip.environment
    ? watched
    : mapEntries(watched, (service, key) =>
        isMap(service)
          ? problems.attempt(() => resolveFiles(key, service, environment, reader), service)
          : service,
      );
  problems.check();

  return toProject({
    name,
    model: source.allResources
      ? withEntry(whole, "services", resolved)
      : dropUnused(withEntry(whole, "services", resolved)),
    disabled,
    workingDir: located.workingDir,
    files: located.files,
    envFiles: located.envFiles,
    environment: environment.toRecord(),
    profiles: located.profiles,
    warnings: unsilenced(problems.warnings, whole),
    lint: () => lint({ model: whole, services: enabled, files }),
  });
}

function servicesOf(model: MapNode): MapNode {
  const services = model.entries.get("services");
  return isMap(services) ? services : map(new Map(), { at: model.at });
}
