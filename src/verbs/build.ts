import type { BuildFlags } from "../build/build.ts";
import { imageWork } from "../build/work.ts";
import type { Context } from "../context.ts";
import { AppError } from "../errors.ts";
import { buildGraph } from "../graph/graph.ts";
import { load } from "../model/load.ts";
import type { ProjectSource } from "../model/types.ts";
import { loginFor } from "./credentials.ts";
import { doImageWork } from "./images.ts";
import { reportWarnings } from "./notes.ts";
import { select } from "./up.ts";

export interface BuildVerbOptions {
  readonly services: readonly string[];
  readonly dependencies: boolean;
  readonly push: boolean;
  readonly flags: BuildFlags;
}

/** Builds the images of the services that say how; one build for each distinct definition. */
export async function build(
  source: ProjectSource,
  options: BuildVerbOptions,
  context: Context,
): Promise<void> {
  const project = await load(source);
  const graph = select(buildGraph(project), options);
  reportWarnings(project, context.report);
  const buildable = graph.services.filter((name) => project.services[name]!.build);
  const other = options.services.find((name) => !project.services[name]!.build);
  if (other !== undefined) {
    const at = project.positionOf(["services", other]);
    throw new AppError("COMPOSE_VALUE", `${other} has no build section`, {
      ...(at && { at }),
      hint: `It runs the image ${project.services[other]!.image}; \`slipway pull ${other}\` fetches it.`,
    });
  }
  const work = imageWork(project, buildable, {}, { build: "always", pull: undefined });
  if (work.length === 0) {
    context.report.on({
      subject: "project",
      id: project.name,
      phase: "note",
      text: "no service has a build section",
    });
  }
  await doImageWork(project, work, options.flags, context);
  if (!options.push) return;
  for (const tag of work.flatMap((item) => (item.kind === "build" ? item.tags : [])))
    await pushImage(tag, context);
}

export async function pushImage(
  image: string,
  { engine, report, signal, env }: Context,
  options: { readonly allTags?: boolean } = {},
): Promise<void> {
  const login = await loginFor(image, env);
  report.on({ subject: "image", id: image, phase: "working", text: "pushing" });
  await engine.pushImage(image, { signal, ...options, ...(login && { login }) });
  report.on({ subject: "image", id: image, phase: "done", text: "pushed" });
}
