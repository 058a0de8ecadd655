import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError } from "../errors.ts";
import type { Project, SourcePosition } from "../model/types.ts";
import type { BuildWork } from "./work.ts";

/** A context on another machine: git or a tar. */
export function isRemote(context: string): boolean {
  return /^(?:https?|git|ssh|github\.com)(?::\/\/|@|\/)|^git@/.test(context);
}

/** The Dockerfile's absolute path; undefined where its text is in the Compose file or on another machine. */
export function dockerfileOf({ build }: BuildWork): string | undefined {
  if (build.dockerfile_inline !== undefined || isRemote(build.context ?? "")) return undefined;
  return resolve(build.context!, build.dockerfile ?? "Dockerfile");
}

/** What is wrong with the builds' files, before anything is touched. */
export async function checkBuilds(
  project: Project,
  works: readonly BuildWork[],
): Promise<readonly AppError[]> {
  const checked = await Promise.all(works.map((work) => checkBuild(project, work)));
  return checked.filter((failure) => failure !== undefined);
}

async function checkBuild(project: Project, work: BuildWork): Promise<AppError | undefined> {
  const { build } = work;
  const name = work.services[0]!;
  if (isRemote(build.context ?? "")) return undefined;
  const place = (key: string): { at?: SourcePosition } => {
    const at =
      project.positionOf(["services", name, "build", key]) ?? project.positionOf(["services", name, "build"]);
    return at ? { at } : {};
  };
  const context = await stat(build.context!).catch(() => undefined);
  if (!context?.isDirectory()) {
    const why = context ? "is not a directory" : "does not exist";
    return new AppError("BUILD_CONTEXT_MISSING", `${name}: the build context ${build.context} ${why}`, {
      ...place("context"),
      hint: "Create the directory, or correct build.context.",
    });
  }
  const dockerfile = dockerfileOf(work);
  if (dockerfile === undefined || (await stat(dockerfile).catch(() => undefined))?.isFile()) return undefined;
  return new AppError("DOCKERFILE_MISSING", `${name}: there is no Dockerfile at ${dockerfile}`, {
    ...place("dockerfile"),
    hint: "Create it, or say in build.dockerfile where it is.",
  });
}
