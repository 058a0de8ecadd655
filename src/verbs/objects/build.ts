import { basename } from "node:path";
import { buildImage } from "../../build/build.ts";
import { checkBuilds } from "../../build/check.ts";
import type { BuildWork } from "../../build/work.ts";
import type { Context } from "../../context.ts";
import { throwAll } from "../../errors.ts";
import type { Build, Project } from "../../model/types.ts";

export interface BuildPathOptions {
  readonly directory: string; // absolute
  readonly dockerfile: string | undefined; // absolute
  readonly tags: readonly string[];
  readonly target: string | undefined;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform: string | undefined;
  readonly network: string | undefined;
  readonly noCache: boolean;
  readonly pull: boolean;
}

/** Builds an image from a directory, as a service's build section would. @returns its id */
export async function buildPath(options: BuildPathOptions, context: Context): Promise<string> {
  const { directory, dockerfile, tags, target, args, labels, platform, network, noCache, pull } = options;
  const build: Build = {
    context: directory,
    args,
    labels,
    ...(dockerfile && { dockerfile }),
    ...(target && { target }),
    ...(network && { network }),
  };
  const name = tags[0] ?? basename(directory);
  const work: BuildWork = { kind: "build", services: [name], build, platform, tags, why: "asked for" };
  throwAll(await checkBuilds(NO_PROJECT, [work]));
  return await buildImage(NO_PROJECT, work, { noCache, pull }, context);
}

/** Nothing of a project is needed: all is in the work. */
const NO_PROJECT = {
  services: {},
  secrets: {},
  environment: {},
  positionOf: () => undefined,
} as unknown as Project;
