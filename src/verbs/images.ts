/** Sees to it that the images of services are there before anything else is touched: all failures at once. */
import { type BuildFlags, buildImage } from "../build/build.ts";
import { checkBuilds } from "../build/check.ts";
import { staleImages } from "../build/refresh.ts";
import { type BuildWork, type ImageOptions, imageWork, type PullWork } from "../build/work.ts";
import type { Context } from "../context.ts";
import { AppError, throwAll } from "../errors.ts";
import type { Project } from "../model/types.ts";
import { imagesOf } from "../reconcile/names.ts";
import { observeImages } from "../reconcile/observe.ts";
import { allLogins, loginFor } from "./credentials.ts";
import { imageSources, takeImage, takeMissing } from "./sources.ts";

/**
 * @throws {AppError | AppErrors} BUILD_CONTEXT_MISSING, DOCKERFILE_MISSING, IMAGE_MISSING before anything is begun;
 *   IMAGE_PULL, BUILD_FAILED
 */
export async function ensureImages(
  project: Project,
  services: readonly string[],
  options: ImageOptions,
  context: Context,
): Promise<void> {
  const names = [...new Set(services.flatMap((name) => imagesOf(project, project.services[name]!)))];
  const [present, stale] = await Promise.all([
    observeImages(names, context.engine),
    staleImages(project, services, context.engine, Date.now()),
  ]);
  const work = imageWork(project, services, present, options, stale);
  await doImageWork(project, work, {}, context);
}

export async function doImageWork(
  project: Project,
  work: readonly (PullWork | BuildWork)[],
  flags: BuildFlags,
  context: Context,
): Promise<void> {
  const builds = work.filter((item) => item.kind === "build");
  throwAll(await checkBuilds(project, builds));
  const sources = imageSources(project);
  const pulled = work.filter((item) => item.kind === "pull");
  const bases = [...sources].filter(([name]) => !pulled.some(({ image }) => image === name));
  if (builds.length > 0) await takeMissing(new Map(bases), context);
  const pulls = pulled.map((item) => pull(project, item, sources.get(item.image), context));
  const results = await Promise.allSettled([...pulls, ...buildInOrder(project, builds, flags, context)]);
  context.signal.throwIfAborted();
  throwAll(results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : [])));
}

/** A build that takes another service's image as a context waits for that one. */
function buildInOrder(
  project: Project,
  builds: readonly BuildWork[],
  flags: BuildFlags,
  context: Context,
): Promise<void>[] {
  const running = new Map<BuildWork, Promise<void>>();
  const start = (work: BuildWork): Promise<void> => {
    const known = running.get(work);
    if (known) return known;
    const needed = Object.values(work.build.additional_contexts ?? {})
      .filter((text) => text.startsWith("service:"))
      .flatMap((text) => builds.filter(({ services }) => services.includes(text.slice("service:".length))));
    const others = needed.filter((other) => other !== work).map(start);
    const result = Promise.all(others).then(async () => {
      await buildImage(project, work, { ...flags, logins: await allLogins(context.env) }, context);
    });
    running.set(work, result);
    return result;
  };
  return builds.map(start);
}

async function pull(
  project: Project,
  { image, services, platform, why }: PullWork,
  source: string | undefined,
  context: Context,
): Promise<void> {
  try {
    if (source === undefined) await pullImage(image, platform, why, context);
    else await takeImage(image, source, why, context);
  } catch (error) {
    context.signal.throwIfAborted();
    throw pullFailure(project, image, services[0]!, error as Error);
  }
}

/** Pulls one image, with the bytes of all its layers as one progress. */
export async function pullImage(
  image: string,
  platform: string | undefined,
  why: string,
  { engine, report, signal, env }: Context,
  options: { readonly allTags?: boolean } = {},
): Promise<void> {
  const login = await loginFor(image, env);
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  const sum = (key: "current" | "total"): number =>
    [...layers.values()].reduce((all, layer) => all + layer[key], 0);
  let from = "";
  report.on({ subject: "image", id: image, phase: "working", text: "pulling", why });
  try {
    await engine.pullImage(image, {
      signal,
      ...options,
      ...(platform && { platform }),
      ...(login && { login }),
      onProgress({ id, progressDetail, aux }) {
        // The engine's settings name another place than the registry: never without a word.
        if (typeof aux?.["Source"] === "string") from = ` from ${aux["Source"]}`;
        const { current, total } = progressDetail ?? {};
        if (!id || current === undefined || !total) return;
        layers.set(id, { current, total });
        const amount = { current: sum("current"), total: sum("total") };
        report.on({ subject: "image", id: image, phase: "working", text: "pulling", ...amount });
      },
    });
    report.on({ subject: "image", id: image, phase: "done", text: `pulled${from}` });
  } catch (error) {
    if (!signal.aborted) report.on({ subject: "image", id: image, phase: "failed", text: "failed" });
    throw error;
  }
}

function pullFailure(project: Project, image: string, service: string, cause: Error): AppError {
  const at = project.positionOf(["services", service, "image"]);
  const debian = /^(?:docker\.io\/)?(?:library\/)?(?:debian|ubuntu)(?::|$)/.test(image);
  return new AppError("IMAGE_PULL", `${image} cannot be had: ${cause.message}`, {
    ...(at && { at }),
    hint: debian
      ? `With no registry in reach, \`slipway image bootstrap ${image}\` makes it from Debian's packages.`
      : "Check the name and the network; a private registry needs `slipway login`.",
    cause,
  });
}
