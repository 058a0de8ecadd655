/**
 * Images that a project takes from somewhere else than a registry:
 *
 *   x-slipway:
 *     images:
 *       base/web:1: oci-layout:./images/web
 *       debian:bookworm-slim: bootstrap
 *
 * as the engine reads sources, with paths relative to the project. Each is said when it is taken.
 */
import { join } from "node:path";
import type { EngineClient } from "../client/client.ts";
import type { Context } from "../context.ts";
import { AppError } from "../errors.ts";
import type { Project } from "../model/types.ts";
import { observeImages } from "../reconcile/observe.ts";

/** Name of an image → source with an absolute path. */
export type ImageSources = ReadonlyMap<string, string>;

/** @throws {AppError} COMPOSE_VALUE */
export function imageSources(project: Project): ImageSources {
  const ours = project.extensions["x-slipway"] as { readonly images?: unknown } | undefined;
  const images = ours?.images ?? {};
  const wrong = (path: readonly string[], what: string): AppError => {
    const at = project.positionOf(["x-slipway", "images", ...path]);
    return new AppError(
      "COMPOSE_VALUE",
      `x-slipway.images${path.map((name) => `.${name}`).join("")}: ${what}`,
      {
        ...(at && { at }),
        hint: "Write bootstrap[:SUITE], oci-layout:PATH, archive:PATH or dir:PATH.",
      },
    );
  };
  if (typeof images !== "object" || Array.isArray(images))
    throw wrong([], "is no mapping of images to sources");
  return new Map(
    Object.entries(images as Readonly<Record<string, unknown>>).map(([name, source]) => {
      const absolute = typeof source === "string" ? absoluteSource(source, project.workingDir) : undefined;
      if (absolute === undefined) throw wrong([name], `${JSON.stringify(source)} is no source of an image`);
      return [name, absolute];
    }),
  );
}

/** A source as the engine takes it; undefined if it is none. */
export function absoluteSource(text: string, directory: string): string | undefined {
  if (/^bootstrap(?::|$)/.test(text)) return text;
  const [, kind, path] = /^(oci-layout|archive|dir):(?:\/\/(?=\/))?(.+)$/s.exec(text) ?? [];
  if (kind === undefined || path === undefined) return undefined;
  return `${kind}:${path.startsWith("/") ? path : join(directory, path)}`;
}

/** Takes those that are not there yet: what builds stand on is not told by the project. */
export async function takeMissing(sources: ImageSources, context: Context): Promise<void> {
  const present = await observeImages([...sources.keys()], context.engine);
  const missing = [...sources].filter(([name]) => present[name] === undefined);
  await Promise.all(missing.map(([name, source]) => takeImage(name, source, "not here", context)));
}

/** @throws {AppError} ENGINE_TOO_OLD against an engine that cannot; IMAGE_PULL */
export async function takeImage(
  image: string,
  source: string,
  why: string,
  { engine, report, signal }: Context,
): Promise<void> {
  await mustTake(engine);
  report.on({ subject: "image", id: image, phase: "working", text: `taking from ${source}`, why });
  try {
    const { fresh } = await engine.takeImage(image, source, { signal });
    const text = fresh ? `taken from ${source}` : `is as in ${source}`;
    report.on({ subject: "image", id: image, phase: "done", text });
  } catch (error) {
    if (!signal.aborted) report.on({ subject: "image", id: image, phase: "failed", text: "failed" });
    throw error;
  }
}

async function mustTake(engine: EngineClient): Promise<void> {
  if ((await engine.slipwayFeatures()).has("take")) return;
  throw new AppError("ENGINE_TOO_OLD", `the engine at ${engine.address} takes images from registries alone`, {
    hint: "Use slipway's own engine (leave DOCKER_HOST unset), or load the image.",
  });
}
