import { AppError } from "../../errors.ts";
import { EngineFailure } from "../failures.ts";
import { followProgress } from "../progress.ts";
import type { Call, Transport } from "../transport.ts";
import type { BuildCalls, BuildOptions } from "../types/builds.ts";
import type { ProgressMessage } from "../types/common.ts";

const MOUNTS = "/slipway/v1/builder/mounts";

export function buildCalls(engine: Transport): BuildCalls {
  return {
    async buildImage(options) {
      let id: string | undefined;
      const read = (message: ProgressMessage): void => {
        if (typeof message.aux?.["ID"] === "string") id = message.aux["ID"];
        options.onProgress?.(message);
      };
      try {
        const [path, call] = "tar" in options.context ? tarBuild(options) : localBuild(options);
        await followProgress(await engine.open("POST", path, call), "BUILD_FAILED", read);
      } catch (error) {
        if (!(error instanceof EngineFailure)) throw error;
        throw new AppError("BUILD_FAILED", error.message, { cause: error });
      }
      // A check, or a build whose result goes elsewhere, names the empty one.
      if (id === undefined)
        throw new AppError("BUILD_FAILED", "the engine named no image at the end of the build");
      return id;
    },
    listCacheMounts: () => engine.json("GET", MOUNTS),
    exportCacheMount: (id) => engine.open("GET", `${MOUNTS}/archive`, { query: { id } }),
    importCacheMount: (id, tar) =>
      engine.done("PUT", `${MOUNTS}/archive`, { query: { id }, body: tar, contentType: "application/x-tar" }),
    pruneBuilds: ({ all, filters, keepBytes } = {}) =>
      engine.json("POST", "/build/prune", { query: { all, "keep-storage": keepBytes }, filters }),
  };
}

/** Our engine reads the directory itself: nothing is packed, nothing is sent. */
function localBuild({
  context,
  signal,
  onProgress: _,
  more,
  logins,
  ...fields
}: BuildOptions): [string, Call] {
  return [
    "/slipway/v1/build",
    { json: { ...fields, ...context, ...more }, headers: loginHeaders(logins), signal },
  ];
}

function loginHeaders(logins: BuildOptions["logins"] = {}): Record<string, string> {
  if (Object.keys(logins).length === 0) return {};
  return { "x-registry-config": Buffer.from(JSON.stringify(logins)).toString("base64") };
}

function tarBuild(options: BuildOptions): [string, Call] {
  const { context } = options;
  if (
    options.dockerfileInline !== undefined ||
    options.contexts !== undefined ||
    options.secrets !== undefined
  ) {
    throw new AppError(
      "BUILD_FAILED",
      "this engine builds without inline Dockerfiles, named contexts and secrets",
    );
  }
  const query = {
    t: options.tags,
    dockerfile: options.dockerfile,
    target: options.target,
    platform: options.platform,
    buildargs: options.args && JSON.stringify(options.args),
    labels: options.labels && JSON.stringify(options.labels),
    cachefrom: options.cacheFrom && JSON.stringify(options.cacheFrom),
    nocache: options.noCache,
    pull: options.pull,
    networkmode: options.network,
    extrahosts: options.extraHosts?.join(","),
    shmsize: options.shmSize,
    rm: true,
    forcerm: true,
  };
  const body = "tar" in context ? context.tar : undefined;
  return [
    "/build",
    {
      query,
      ...(body && { body }),
      contentType: "application/x-tar",
      headers: loginHeaders(options.logins),
      signal: options.signal,
    },
  ];
}
