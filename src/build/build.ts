/** Builds the image of a service, where the engine can by a local directory, else by a tar that is sent. */
import { basename, dirname, relative, resolve } from "node:path";
import type { EngineClient } from "../client/client.ts";
import type { BuildOptions } from "../client/types/builds.ts";
import type { Report } from "../context.ts";
import { AppError } from "../errors.ts";
import type { Build, Project } from "../model/types.ts";
import { parseBytes } from "../model/units.ts";
import { imageOf } from "../reconcile/names.ts";
import { dockerfileOf, isRemote } from "./check.ts";
import { Ignore } from "./ignore.ts";
import { packDirectory } from "./pack.ts";
import { BuildProgress } from "./progress.ts";
import type { BuildWork } from "./work.ts";

export interface BuildFlags {
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly args?: Readonly<Record<string, string | null>>;
  readonly logins?: BuildOptions["logins"];
}

/**
 * @returns the image's id
 * @throws {AppError} BUILD_FAILED at the Dockerfile's line, with the last lines of output
 */
export async function buildImage(
  project: Project,
  work: BuildWork,
  flags: BuildFlags,
  context: { readonly engine: EngineClient; readonly report: Report; readonly signal: AbortSignal },
): Promise<string> {
  const { engine, report, signal } = context;
  const local = (await engine.slipwayFeatures()).has("build");
  const id = work.services[0]!;
  const progress = new BuildProgress(id, report, `build ${id}`);
  report.on({ subject: "build", id, phase: "working", text: "building", why: work.why });
  try {
    const common = commonOptions(project, work, flags);
    const source = local ? localSource(project, work) : await tarSource(work);
    const image = await engine.buildImage({
      ...common,
      ...source,
      signal,
      onProgress: (message) => progress.on(message),
    });
    report.on({ subject: "build", id, phase: "done", text: "built", why: work.tags.join(", ") });
    return image;
  } catch (error) {
    report.on({ subject: "build", id, phase: "failed", text: "failed" });
    if (error instanceof AppError && error.code === "BUILD_FAILED")
      throw progress.failure(error, dockerfileOf(work));
    throw error;
  }
}

function commonOptions(project: Project, work: BuildWork, flags: BuildFlags): Omit<BuildOptions, "context"> {
  const { build, platform, tags } = work;
  const target = platform ?? build.platforms?.[0];
  // What is known nowhere is left out, as docker compose does.
  const args = Object.fromEntries(
    Object.entries({ SOURCE_DATE_EPOCH: null, ...build.args, ...flags.args }).flatMap(([key, given]) => {
      const value = given ?? project.environment[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
  return {
    tags,
    args,
    ...(flags.logins && { logins: flags.logins }),
    ...(build.target && { target: build.target }),
    ...(target && { platform: target }),
    ...(build.labels && { labels: build.labels }),
    ...(build.cache_from && { cacheFrom: build.cache_from.map((text) => absoluteCache(project, text)) }),
    ...((flags.noCache ?? build.no_cache) && { noCache: true }),
    ...((flags.pull ?? build.pull) && { pull: true }),
    ...(build.network && { network: build.network }),
    ...(build.extra_hosts && { extraHosts: build.extra_hosts.map((host) => host.replace("=", ":")) }),
    ...(build.shm_size && { shmSize: parseBytes(build.shm_size) }),
  };
}

function localSource(
  project: Project,
  work: BuildWork,
): Partial<BuildOptions> & Pick<BuildOptions, "context"> {
  const { build } = work;
  const dockerfile = dockerfileOf(work);
  const secrets = (build.secrets ?? []).map(({ source, target }) => {
    const { file, environment } = project.secrets[source] ?? {};
    const value = environment === undefined ? undefined : project.environment[environment];
    return { id: target ?? source, ...(file && { file }), ...(value !== undefined && { value }) };
  });
  const contexts = Object.entries(build.additional_contexts ?? {}).map(([name, text]) => {
    const service = text.startsWith("service:") ? project.services[text.slice("service:".length)] : undefined;
    return [name, service ? imageOf(project, service) : text.replace(/^docker-image:\/\//, "")] as const;
  });
  const ulimits = Object.entries(build.ulimits ?? {}).map(([name, limit]) =>
    typeof limit === "number" ? { name, soft: limit, hard: limit } : { name, ...limit },
  );
  const context = build.context!;
  return {
    context: isRemote(context) ? { remote: context } : { directory: context },
    ...(dockerfile && { dockerfile }),
    ...(build.dockerfile_inline !== undefined && { dockerfileInline: build.dockerfile_inline }),
    ...(secrets.length > 0 && { secrets }),
    ...(contexts.length > 0 && { contexts: Object.fromEntries(contexts) }),
    more: { ...(ulimits.length > 0 && { ulimits }), ...ownOptions(project, build) },
  };
}

/** What only our builder is told. */
function ownOptions(
  project: Project,
  { ssh = [], entitlements = [], privileged, cache_to = [] }: Build,
): object {
  const agent = project.environment["SSH_AUTH_SOCK"];
  const agents = ssh.flatMap((text) => {
    const [id, socket = agent] = text.split("=", 2);
    return socket === undefined ? [] : [{ id, socket }];
  });
  const allowed = privileged ? [...entitlements, "security.insecure"] : entitlements;
  const caches = cache_to.map((text) => absoluteCache(project, text));
  return {
    ...(agents.length > 0 && { ssh: agents }),
    ...(allowed.length > 0 && { entitlements: allowed }),
    ...(caches.length > 0 && { cacheTo: caches }),
  };
}

/** A cache's directory is seen from the project's. */
function absoluteCache({ workingDir }: Project, text: string): string {
  return text.replace(
    /\b(src|dest)=([^,/][^,]*)/,
    (_, key: string, path: string) => `${key}=${resolve(workingDir, path)}`,
  );
}

/** For engines that read no directory themselves. */
export async function tarSource(
  work: BuildWork,
): Promise<Partial<BuildOptions> & Pick<BuildOptions, "context">> {
  const { build } = work;
  const directory = build.context!;
  if (isRemote(directory)) {
    throw new AppError("BUILD_FAILED", `${work.services[0]}: this engine's API is given local contexts only`);
  }
  if (build.secrets?.length || build.additional_contexts) {
    throw new AppError(
      "BUILD_FAILED",
      `${work.services[0]}: this engine builds without secrets and additional contexts`,
    );
  }
  const dockerfile = dockerfileOf(work);
  const ignore = await Ignore.of(directory, dockerfile);
  if (dockerfile === undefined) {
    const content = Buffer.from(build.dockerfile_inline ?? "");
    const name = ".slipway.Dockerfile";
    return {
      context: { tar: packDirectory(directory, ignore, new Set(), [{ path: name, content }]) },
      dockerfile: name,
    };
  }
  const name = relative(directory, dockerfile);
  if (!name.startsWith("..")) {
    return {
      context: { tar: packDirectory(directory, ignore, new Set([name, ".dockerignore"])) },
      dockerfile: name,
    };
  }
  // A Dockerfile outside of the context goes along under a name of its own.
  const { readFile } = await import("node:fs/promises");
  const content = await readFile(dockerfile);
  const path = `.slipway.${basename(dirname(dockerfile))}.${basename(dockerfile)}`;
  return {
    context: { tar: packDirectory(directory, ignore, new Set(), [{ path, content }]) },
    dockerfile: path,
  };
}
