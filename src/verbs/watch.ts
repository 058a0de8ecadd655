import { dockerfileOf } from "../build/check.ts";
import { Ignore } from "../build/ignore.ts";
import type { Context } from "../context.ts";
import { AppError } from "../errors.ts";
import { buildGraph } from "../graph/graph.ts";
import { checkServices } from "../graph/walk.ts";
import { load } from "../model/load.ts";
import type { Project, ProjectSource, Service } from "../model/types.ts";
import { Batch } from "../watch/batch.ts";
import { isIgnored, matches, type ServiceRules } from "../watch/rules.ts";
import { QUIET_MS, watchPaths } from "../watch/watcher.ts";
import { applyChanges, syncInitially } from "./changes.ts";
import { withApiSocket } from "./socket.ts";

export interface WatchOptions {
  readonly services: readonly string[];
}

/** Watches what `develop.watch` names and applies each change to the running containers, until the signal. */
export async function watch(source: ProjectSource, options: WatchOptions, context: Context): Promise<void> {
  const project = await withApiSocket(await load(source), context);
  checkServices(buildGraph(project), options.services);
  const rules = await rulesOf(project, options.services);
  if (rules.length === 0) {
    throw new AppError("WATCH_FAILED", "no service has a develop.watch section", {
      hint: "See https://docs.docker.com/compose/how-tos/file-watch for how to write one.",
    });
  }
  const batches = new Map(
    rules.map((given) => [
      given,
      new Batch<string>(QUIET_MS, (paths) => applyChanges(project, given, [...new Set(paths)], context)),
    ]),
  );
  const paths = [...new Set(rules.flatMap((given) => given.rules.map(({ path }) => path)))];
  // A directory is passed over only where no service wants anything of it.
  const ignored = (path: string): boolean => rules.every((given) => isIgnored(given, path));
  const watcher = await watchPaths(paths, ignored, (path) => {
    for (const [given, batch] of batches) if (matches(given, path).length > 0) batch.add(path);
  });
  try {
    await Promise.all(rules.map((given) => syncInitially(project, given, context)));
    const names = rules.map(({ service }) => service).join(", ");
    context.report.on({ subject: "watch", id: names, phase: "note", text: "watching" });
    await aborted(context.signal);
  } finally {
    for (const batch of batches.values()) batch.close();
    await watcher.close();
  }
}

async function rulesOf(project: Project, services: readonly string[]): Promise<readonly ServiceRules[]> {
  const watched = Object.values(project.services).filter(
    ({ name, develop }) => (services.length === 0 || services.includes(name)) && develop?.watch?.length,
  );
  return await Promise.all(watched.map(readRules));
}

async function readRules(service: Service): Promise<ServiceRules> {
  const { build, name, develop, platform } = service;
  const work = build && ({ kind: "build", services: [name], build, platform, tags: [], why: "" } as const);
  const ignore = build?.context ? await Ignore.of(build.context, work && dockerfileOf(work)) : new Ignore("");
  return { service: name, rules: develop?.watch ?? [], context: build?.context, ignore };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
