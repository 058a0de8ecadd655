/** Which images have to be built or pulled before containers can be made from them. Pure. */
import { AppError } from "../errors.ts";
import type { Build, Project, Service } from "../model/types.ts";
import { canonical } from "../reconcile/canonical.ts";
import { imageOf, imagesOf } from "../reconcile/names.ts";

export interface PullWork {
  readonly kind: "pull";
  readonly image: string;
  readonly services: readonly string[];
  readonly platform: string | undefined;
  readonly why: string;
}

/** One build serves all services whose definitions are equal; each of their image names becomes a tag. */
export interface BuildWork {
  readonly kind: "build";
  readonly services: readonly string[];
  readonly build: Build;
  readonly platform: string | undefined;
  readonly tags: readonly string[];
  readonly why: string;
}

export interface ImageOptions {
  /** Build what can be built (`--build`), never (`--no-build`), or what is missing. */
  readonly build: "missing" | "always" | "never";
  /** `--pull`; else as the service says. */
  readonly pull: "missing" | "always" | "never" | undefined;
}

/**
 * @param services those whose images are needed
 * @param present ids of images by name, undefined for one that is missing
 * @param stale names of images that are there, and older than their services allow
 * @throws {AppError} IMAGE_MISSING where an image is neither there nor may be fetched or built
 */
export function imageWork(
  project: Project,
  services: readonly string[],
  present: Readonly<Record<string, string | undefined>>,
  options: ImageOptions,
  stale: ReadonlySet<string> = new Set(),
): readonly (PullWork | BuildWork)[] {
  const pulls = new Map<string, PullWork>();
  const builds = new Map<string, BuildWork>();
  for (const name of services) {
    const service = project.services[name]!;
    const image = imageOf(project, service);
    const state = present[image] === undefined ? "missing" : stale.has(image) ? "stale" : "there";
    for (const other of imagesOf(project, service).slice(1)) {
      if (present[other] !== undefined || pulls.has(other)) continue;
      if (options.pull === "never") throw missing(project, service, "--pull never", other);
      pulls.set(other, {
        kind: "pull",
        image: other,
        services: [name],
        platform: service.platform,
        why: "not here yet",
      });
    }
    const decision = decide(project, service, state, options);
    if (decision?.kind === "pull") {
      const known = pulls.get(image);
      const needed = [...(known?.services ?? []), name];
      pulls.set(image, {
        kind: "pull",
        image,
        services: needed,
        platform: service.platform,
        why: decision.why,
      });
    } else if (decision) {
      const { build, platform } = service;
      const key = JSON.stringify(canonical({ ...build, tags: undefined, platform }));
      const known = builds.get(key);
      const tags = [...new Set([...(known?.tags ?? []), image, ...(build!.tags ?? [])])];
      const needed = [...(known?.services ?? []), name];
      builds.set(key, { kind: "build", services: needed, build: build!, platform, tags, why: decision.why });
    }
  }
  return [...pulls.values(), ...builds.values()];
}

function decide(
  project: Project,
  service: Service,
  state: "missing" | "stale" | "there",
  options: ImageOptions,
): { readonly kind: "pull" | "build"; readonly why: string } | undefined {
  const { build, pull_policy: policy } = service;
  if (build) {
    if (options.build === "always") return { kind: "build", why: "asked for by --build" };
    if (options.build === "missing" && policy === "build")
      return { kind: "build", why: "pull_policy: build" };
    if (state !== "missing") return undefined;
    if (options.build === "missing") return { kind: "build", why: "no image yet" };
    if (!service.image) throw missing(project, service, "--no-build forbids to build it");
  }
  const how = options.pull ?? (build ? "missing" : policy);
  if ((how === "always" || how === "refresh") && !build)
    return { kind: "pull", why: options.pull ? "asked for by --pull" : `pull_policy: ${policy}` };
  if (state === "stale" && !options.pull) return { kind: "pull", why: `pull_policy: ${policy}` };
  if (state !== "missing") return undefined;
  if (how === "never") throw missing(project, service, options.pull ? "--pull never" : "pull_policy: never");
  return { kind: "pull", why: "not here yet" };
}

function missing(
  project: Project,
  service: Service,
  why: string,
  image = imageOf(project, service),
): AppError {
  const at = project.positionOf(["services", service.name, service.image ? "image" : "build"]);
  return new AppError("IMAGE_MISSING", `${service.name}: image ${image} is not here, and ${why}`, {
    ...(at && { at }),
    hint: service.build
      ? `Build it with \`slipway build ${service.name}\`.`
      : `Pull it with \`slipway pull ${service.name}\`.`,
  });
}
