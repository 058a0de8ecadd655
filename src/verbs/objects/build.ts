import { statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { BuildProgress } from "../../build/progress.ts";
import { isMissing } from "../../client/failures.ts";
import type { BuildOptions } from "../../client/types/builds.ts";
import type { Context } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { allLogins } from "../credentials.ts";

export type BuildContext =
  | { readonly kind: "directory"; readonly path: string } // absolute
  | { readonly kind: "remote"; readonly url: string }
  | { readonly kind: "tar"; readonly stream: Readable }
  /** A Dockerfile alone. */
  | { readonly kind: "text"; readonly dockerfile: string };

export interface BuildPathOptions {
  readonly context: BuildContext;
  readonly dockerfile: string | undefined; // absolute, for a directory
  readonly tags: readonly string[];
  readonly target: string | undefined;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform: string | undefined;
  readonly network: string | undefined;
  readonly noCache: boolean;
  readonly pull: boolean;
  /** What only our own builder knows, in the words of its API. */
  readonly own: Readonly<Record<string, unknown>>;
}

export interface BuildWarning {
  readonly rule: string;
  readonly message: string;
  readonly line: number;
  readonly url: string;
}

export interface BuildPathResult {
  readonly id: string; // "" for a check, and where no output is an image
  /** Of the manifest or index that was pushed or written as a layout. */
  readonly digest: string | undefined;
  readonly warnings: readonly BuildWarning[];
  /** Step title → why it was not taken from the cache, where that was asked. */
  readonly reasons: readonly (readonly [title: string, reasons: readonly string[]])[];
}

/**
 * Builds an image from a directory, an archive or a repository.
 *
 * @throws {AppError} BUILD_CONTEXT_MISSING, DOCKERFILE_MISSING, BUILD_FAILED at the Dockerfile's line, ENGINE_TOO_OLD
 *   for what another engine's API cannot say
 */
export async function buildPath(options: BuildPathOptions, context: Context): Promise<BuildPathResult> {
  const { engine, report, signal } = context;
  checkFiles(options);
  const id = options.tags[0] ?? nameOf(options.context);
  const progress = new BuildProgress(id, report, "image build");
  const warnings: BuildWarning[] = [];
  const reasons: [string, readonly string[]][] = [];
  let digest: string | undefined;
  const send = async (isOurs: boolean): Promise<string> => {
    if (!isOurs) refuseOwn(options, engine.address);
    return await engine.buildImage({
      ...(await sourceOf(options, isOurs)),
      ...commonOf(options),
      more: options.own,
      logins: await allLogins(context.env),
      signal,
      onProgress(message) {
        const step = message["step"] as
          | { title: string; state: string; reasons?: readonly string[] }
          | undefined;
        if (typeof message.aux?.["Digest"] === "string") digest = message.aux["Digest"];
        if (message["warning"] !== undefined) warnings.push(message["warning"] as BuildWarning);
        if (step?.reasons !== undefined) reasons.push([step.title, step.reasons]);
        progress.on(message);
      },
    });
  };
  report.on({ subject: "build", id, phase: "working", text: "building" });
  try {
    // A question before would cost as much as a build that finds nothing to do.
    const isAsked = options.context.kind === "tar";
    const isOurs = !isAsked || (await engine.slipwayFeatures()).has("build");
    const image = await send(isOurs).catch((error: unknown) => {
      if (!isOurs || !isUnknownCall(error)) throw error;
      return send(false);
    });
    const why = options.tags.length > 0 ? { why: options.tags.join(", ") } : {};
    report.on({ subject: "build", id, phase: "done", text: "built", ...why });
    return { id: image, digest, warnings, reasons };
  } catch (error) {
    report.on({ subject: "build", id, phase: "failed", text: "failed" });
    if (error instanceof AppError && error.code === "BUILD_FAILED")
      throw progress.failure(error, dockerfileOf(options));
    throw error;
  }
}

/** @throws {AppError} ENGINE_TOO_OLD if something is asked that Docker's API cannot say */
function refuseOwn({ own }: BuildPathOptions, address: string): void {
  const asked = Object.entries(own).filter(([, value]) => value !== undefined && value !== false);
  if (asked.length === 0) return;
  const names = asked.map(([name]) => name).join(", ");
  throw new AppError("ENGINE_TOO_OLD", `the engine at ${address} builds without ${names}`, {
    hint: "Use slipway's own engine (leave DOCKER_HOST unset).",
  });
}

/** What another engine answers to a call of ours. */
function isUnknownCall(error: unknown): boolean {
  return error instanceof AppError && isMissing(error.cause) && error.message.startsWith("page not found");
}

/** The id of an image of what a failed step left, where `keepFailed` was asked. */
export function failedImage(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { errorDetail } = (at.cause ?? {}) as { readonly errorDetail?: { readonly image?: string } };
    if (errorDetail?.image !== undefined) return errorDetail.image;
  }
  return undefined;
}

function nameOf(context: BuildContext): string {
  if (context.kind === "directory") return basename(context.path);
  return context.kind === "remote" ? context.url : "image";
}

function dockerfileOf({ context, dockerfile }: BuildPathOptions): string | undefined {
  return context.kind === "directory" ? (dockerfile ?? join(context.path, "Dockerfile")) : undefined;
}

/** Without threads: starting them takes longer than both looks. */
function checkFiles(options: BuildPathOptions): void {
  const { context } = options;
  if (context.kind !== "directory") return;
  const found = statSync(context.path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) {
    const why = found ? "is not a directory" : "does not exist";
    throw new AppError("BUILD_CONTEXT_MISSING", `the build context ${context.path} ${why}`);
  }
  const dockerfile = dockerfileOf(options)!;
  if (!statSync(dockerfile, { throwIfNoEntry: false })?.isFile()) {
    throw new AppError("DOCKERFILE_MISSING", `there is no Dockerfile at ${dockerfile}`, {
      hint: "Create it, or say with -f where it is.",
    });
  }
}

function commonOf(options: BuildPathOptions): Omit<BuildOptions, "context"> {
  const { tags, args, labels, target, platform, network, noCache, pull } = options;
  return {
    tags,
    args,
    labels,
    ...(target && { target }),
    ...(platform && { platform }),
    ...(network && { network }),
    ...(noCache && { noCache }),
    ...(pull && { pull }),
  };
}

/** Our engine reads a directory itself; another gets a tar. */
async function sourceOf(
  { context, dockerfile }: BuildPathOptions,
  own: boolean,
): Promise<Pick<BuildOptions, "context" | "dockerfile" | "dockerfileInline">> {
  switch (context.kind) {
    case "tar":
      return { context: { tar: context.stream }, ...(dockerfile && { dockerfile }) };
    case "remote":
    case "text":
      if (!own)
        throw new AppError("ENGINE_TOO_OLD", "this engine builds from a directory or an archive only");
      return {
        context: context.kind === "remote" ? { remote: context.url } : {},
        ...(dockerfile && { dockerfile }),
        ...(context.kind === "text" && { dockerfileInline: context.dockerfile }),
      };
    case "directory":
      if (own) return { context: { directory: context.path }, ...(dockerfile && { dockerfile }) };
      return await (await import("../../build/build.ts")).tarSource({
        kind: "build",
        services: [nameOf(context)],
        build: { context: context.path, ...(dockerfile && { dockerfile }) },
        platform: undefined,
        tags: [],
        why: "",
      });
  }
}
