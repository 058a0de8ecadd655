import { imageWork } from "../build/work.ts";
import type { Context } from "../context.ts";
import { AppError, AppErrors } from "../errors.ts";
import { buildGraph } from "../graph/graph.ts";
import { load } from "../model/load.ts";
import type { ProjectSource } from "../model/types.ts";
import { imageOf } from "../reconcile/names.ts";
import { observeImages } from "../reconcile/observe.ts";
import { pushImage } from "./build.ts";
import { doImageWork } from "./images.ts";
import { select } from "./up.ts";

export interface PullOptions {
  readonly services: readonly string[];
  readonly dependencies: boolean;
  readonly onlyMissing: boolean;
  readonly ignoreBuildable: boolean;
  readonly ignoreFailures: boolean;
}

/** Pulls the images of services; those that can only be built here are left out. */
export async function pull(source: ProjectSource, options: PullOptions, context: Context): Promise<void> {
  const project = await load(source);
  const graph = select(buildGraph(project), options);
  const pullable = graph.services.filter((name) => {
    const { build, image, provider } = project.services[name]!;
    return image !== undefined && !provider && !(build && options.ignoreBuildable);
  });
  // A build section does not keep an image from being pulled when that is what was asked for.
  const bare = {
    ...project,
    services: Object.fromEntries(
      pullable.map((name) => [name, { ...project.services[name]!, build: undefined as never }]),
    ),
  };
  const names = pullable.map((name) => imageOf(project, project.services[name]!));
  const present = options.onlyMissing ? await observeImages(names, context.engine) : {};
  const work = imageWork(bare, pullable, present, {
    build: "never",
    pull: options.onlyMissing ? "missing" : "always",
  });
  await tolerate(options.ignoreFailures, context, () => doImageWork(project, work, {}, context));
}

export async function push(
  source: ProjectSource,
  options: {
    readonly services: readonly string[];
    readonly dependencies: boolean;
    readonly ignoreFailures: boolean;
  },
  context: Context,
): Promise<void> {
  const project = await load(source);
  const graph = select(buildGraph(project), options);
  const built = graph.services
    .map((name) => project.services[name]!)
    .filter(({ build, image }) => build && image);
  for (const image of new Set(built.map((service) => imageOf(project, service)))) {
    await tolerate(options.ignoreFailures, context, () => pushImage(image, context));
  }
}

async function tolerate(failures: boolean, context: Context, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!failures || !(error instanceof AppError || error instanceof AppErrors)) throw error;
    context.report.on({ subject: "project", id: "ignored", phase: "warn", text: error.message });
  }
}
