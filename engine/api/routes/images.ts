import { pipeline } from "node:stream/promises";
import { EngineError, messageOf } from "../../errors.ts";
import type { Filters } from "../../filters.ts";
import { VARIANTS, type Variant } from "../../images/bootstrap/plan.ts";
import type { HistoryLine } from "../../images/history.ts";
import type { Images } from "../../images/images.ts";
import { parseReference } from "../../images/reference.ts";
import type { Service, ServiceOptions } from "../../images/registry/serve/service.ts";
import type { Removed } from "../../images/remove.ts";
import { selectImages } from "../../images/select.ts";
import type { Image, RunConfig } from "../../images/types.ts";
import { platformOf } from "../platform.ts";
import { registryAuth } from "../registry-auth.ts";
import type { ApiRequest, Progress, Reply, Route } from "../router.ts";

/** Everything beneath /images. */
export function imageRoutes({ images }: { readonly images: Images }): Route[] {
  const named = (request: ApiRequest): Image => images.get(request.params["name"] ?? "");
  return [
    {
      method: "GET",
      path: "/images/json",
      async handle({ query, version }, reply) {
        reply.json(200, listed(images, query.filters(), query.bool("shared-size"), version));
      },
    },
    {
      method: "POST",
      path: "/images/create",
      handle: (request, reply) => create(images, request, reply),
    },
    {
      method: "GET",
      path: "/images/{name*}/json",
      async handle(request, reply) {
        reply.json(200, inspected(images, named(request), request.version));
      },
    },
    {
      method: "GET",
      path: "/images/{name*}/history",
      async handle(request, reply) {
        reply.json(200, images.history(named(request)).map(historyLine));
      },
    },
    {
      method: "POST",
      path: "/images/{name*}/tag",
      async handle(request, reply) {
        const { query } = request;
        await images.tag(request.params["name"] ?? "", joined(query.string("repo"), query.string("tag")));
        reply.empty(201);
      },
    },
    {
      method: "GET",
      path: "/images/search",
      async handle(request, reply) {
        const { query, signal } = request;
        const auth = registryAuth(request);
        const limit = query.int("limit") || 25;
        if (limit < 1 || limit > 100)
          throw new EngineError("invalid", `limit ${limit} is outside the range of [1, 100]`);
        reply.json(200, await images.search(query.string("term"), { limit, signal, ...(auth && { auth }) }));
      },
    },
    {
      method: "GET",
      path: "/images/get",
      handle: ({ query }, reply) => saved(images, query.list("names"), reply),
    },
    {
      method: "GET",
      path: "/images/{name*}/get",
      handle: ({ params }, reply) => saved(images, [params["name"] ?? ""], reply),
    },
    {
      method: "POST",
      path: "/images/load",
      async handle(request, reply) {
        const progress = reply.progress();
        const quiet = request.query.bool("quiet");
        await images.load(request.body, (message) => {
          if (!quiet || message.stream !== undefined) progress.write(message);
        });
        progress.end();
      },
    },
    {
      method: "POST",
      path: "/images/prune",
      async handle({ query }, reply) {
        const { removed, bytes } = await images.prune(query.filters());
        const deleted = removed.length === 0 ? null : removed.map(removedLine);
        reply.json(200, { ImagesDeleted: deleted, SpaceReclaimed: bytes });
      },
    },
    {
      method: "POST",
      path: "/images/{name*}/push",
      async handle(request, reply) {
        const auth = registryAuth(request);
        // Old clients send an empty body instead; both missing is a mistake that dockerd names.
        if (auth === undefined)
          throw new EngineError(
            "invalid",
            "bad parameters and missing X-Registry-Auth: invalid X-Registry-Auth header: EOF",
          );
        const progress = reply.progress();
        const name = joined(request.params["name"] ?? "", request.query.string("tag"));
        await images.push(name, { auth, signal: request.signal }, (message) => progress.write(message));
        progress.end();
      },
    },
    {
      method: "DELETE",
      path: "/images/{name*}",
      async handle({ params, query }, reply) {
        const options = { force: query.bool("force"), noprune: query.bool("noprune") };
        reply.json(200, (await images.remove(params["name"] ?? "", options)).map(removedLine));
      },
    },
  ];
}

/** What the Docker API has no word for. */
export function bootstrapRoutes({ images }: { readonly images: Images }): Route[] {
  return [
    {
      method: "POST",
      path: "/slipway/v1/bootstrap",
      async handle(request, reply) {
        const { reference = "", include, variant, suite } = await request.json<BootstrapRequest>();
        if (variant !== undefined && !VARIANTS.includes(variant)) {
          throw new EngineError("invalid", `variant is one of ${VARIANTS.join(", ")}`);
        }
        const options = { ...(include && { include }), ...(variant && { variant }), ...(suite && { suite }) };
        const progress = reply.progress();
        const done = await images.bootstrap(reference, { ...options, signal: request.signal }, (message) =>
          progress.write(message),
        );
        progress.write({ aux: { ID: done.id, Fresh: done.fresh } });
        progress.end();
      },
    },
    {
      method: "POST",
      path: "/slipway/v1/images/take",
      async handle(request, reply) {
        const { reference = "", source = "" } = await request.json<{ reference?: string; source?: string }>();
        const { signal } = request;
        const progress = reply.progress();
        const done = await images.take(reference, source, { signal }, (message) => progress.write(message));
        progress.write({ aux: { ID: done.id, Fresh: done.fresh } });
        progress.end();
      },
    },
    {
      method: "POST",
      path: "/slipway/v1/registry",
      handle: (request, reply) => serveRegistry(images, request, reply),
    },
    {
      method: "POST",
      path: "/slipway/v1/images/check",
      async handle({ query }, reply) {
        reply.json(200, await images.verify(query.bool("repair")));
      },
    },
  ];
}

/** Serves for as long as the client stays: it shows what is asked for, and ends the service when it goes. */
async function serveRegistry(images: Images, request: ApiRequest, reply: Reply): Promise<void> {
  const { host = "127.0.0.1", port = 5000, ...more } = await request.json<Partial<ServiceOptions>>();
  const { progress, service } = await listen(images, { ...more, host, port }, reply);
  progress.write({ status: `Listening on ${service.address}` });
  await new Promise<void>((resolve) =>
    request.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  await service.close();
}

/** @throws {EngineError} conflict for a port that is taken, invalid for a bad certificate; with a status of its own */
async function listen(
  images: Images,
  options: ServiceOptions,
  reply: Reply,
): Promise<{ progress: Progress; service: Service }> {
  let progress: Progress | undefined;
  try {
    const service = await images.serve({ ...options, log: (status) => progress?.write({ status }) });
    progress = reply.progress();
    return { progress, service };
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new EngineError(taken ? "conflict" : "invalid", messageOf(cause), { cause });
  }
}

interface BootstrapRequest {
  readonly reference?: string;
  readonly include?: readonly string[];
  readonly variant?: Variant;
  readonly suite?: string;
}

async function create(images: Images, request: ApiRequest, reply: Reply): Promise<void> {
  const { query } = request;
  if (query.string("fromImage") !== "") return pullImage(images, request, reply);
  if (query.string("fromSrc") !== "-")
    throw new EngineError("invalid", "only an archive in the request can be imported");
  const repo = query.string("repo");
  const reference = repo === "" ? undefined : parseReference(joined(repo, query.string("tag")));
  const platform = platformOf(query.string("platform"));
  const image = await images.import(request.body, {
    changes: query.list("changes"),
    message: query.string("message"),
    ...(reference === undefined ? {} : { reference }),
    ...(platform === undefined ? {} : { platform }),
  });
  const progress = reply.progress();
  progress.write({ status: image.id });
  progress.end();
}

async function saved(images: Images, names: readonly string[], reply: Reply): Promise<void> {
  if (names.length === 0) throw new EngineError("invalid", "no image is named");
  const archive = images.save(names.flatMap((name) => name.split(",")));
  await pipeline(archive, reply.stream(200, "application/x-tar"));
}

async function pullImage(images: Images, request: ApiRequest, reply: Reply): Promise<void> {
  const { query, signal } = request;
  const name = joined(query.string("fromImage"), query.string("tag"));
  const platform = platformOf(query.string("platform"));
  const auth = registryAuth(request);
  const progress = reply.progress();
  const { tag, digest } = parseReference(name);
  const allTags = tag === undefined && digest === undefined;
  const options = { ...(auth && { auth }), ...(platform && { platform }), signal, allTags };
  await images.pull(name, options, (message) => progress.write(message));
  progress.end();
}

/** "repo" and "tag" come apart; a tag may be a digest. */
export function joined(repo: string, tag: string): string {
  if (tag === "") return repo;
  return tag.includes(":") ? `${repo}@${tag}` : `${repo}:${tag}`;
}

export function listed(images: Images, filters: Filters, sharedSize: boolean, version: number) {
  const chosen = selectImages(images, filters);
  const usage = sharedSize ? sharing(images) : undefined;
  return chosen.map((image) => ({
    Containers: -1,
    Created: seconds(image.created),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: image.parent,
    RepoDigests: version < 143 && image.repoDigests.length === 0 ? ["<none>@<none>"] : image.repoDigests,
    RepoTags: version < 143 && image.repoTags.length === 0 ? ["<none>:<none>"] : image.repoTags,
    SharedSize:
      usage === undefined ? -1 : image.layers.reduce((sum, diffId) => sum + shared(images, usage, diffId), 0),
    Size: image.size,
    ...(version < 144 ? { VirtualSize: image.size } : {}),
  }));
}

/** How many images have each layer. */
function sharing(images: Images): Map<string, number> {
  const uses = new Map<string, number>();
  for (const image of images.list()) {
    for (const diffId of new Set(image.layers)) uses.set(diffId, (uses.get(diffId) ?? 0) + 1);
  }
  return uses;
}

function shared(images: Images, uses: ReadonlyMap<string, number>, diffId: string): number {
  return (uses.get(diffId) ?? 0) > 1 ? (images.layer(diffId)?.size ?? 0) : 0;
}

export function inspected(images: Images, image: Image, version: number) {
  const { config } = image;
  const [top, ...below] = images.layerDirs(image);
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: image.parent,
    Comment: config.comment ?? "",
    ...(image.created === "" && version >= 144 ? {} : { Created: image.created || "0001-01-01T00:00:00Z" }),
    DockerVersion: "",
    Author: config.author ?? "",
    Config: runConfig(config.config ?? {}),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config["os.version"] === undefined ? {} : { OsVersion: config["os.version"] }),
    Size: image.size,
    ...(version < 144 ? { VirtualSize: image.size } : {}),
    GraphDriver: {
      Data:
        top === undefined
          ? null
          : { ...(below.length > 0 ? { LowerDir: below.join(":") } : {}), UpperDir: top },
      Name: "overlay2",
    },
    RootFS: { Type: "layers", ...(image.layers.length > 0 ? { Layers: image.layers } : {}) },
    Metadata: { LastTagTime: image.lastTagged || "0001-01-01T00:00:00Z" },
  };
}

/** All fields that dockerd prints, in its order, empty where the image says nothing. */
export function runConfig(config: RunConfig) {
  const { Hostname = "", Domainname = "", User = "", WorkingDir = "" } = config;
  return {
    Hostname,
    Domainname,
    User,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.ExposedPorts == null ? {} : { ExposedPorts: config.ExposedPorts }),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck === undefined ? {} : { Healthcheck: config.Healthcheck }),
    ...(config.ArgsEscaped === undefined ? {} : { ArgsEscaped: config.ArgsEscaped }),
    Image: "",
    Volumes: config.Volumes ?? null,
    WorkingDir,
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...(config.StopSignal === undefined ? {} : { StopSignal: config.StopSignal }),
    ...(config.StopTimeout === undefined ? {} : { StopTimeout: config.StopTimeout }),
    ...(config.Shell === undefined ? {} : { Shell: config.Shell }),
  };
}

function historyLine(line: HistoryLine) {
  return {
    Comment: line.comment,
    Created: seconds(line.created),
    CreatedBy: line.createdBy,
    Id: line.id,
    Size: line.size,
    Tags: line.tags.length === 0 ? null : line.tags,
  };
}

export function removedLine(step: Removed): { readonly Untagged: string } | { readonly Deleted: string } {
  return "untagged" in step ? { Untagged: step.untagged } : { Deleted: step.deleted };
}

/** Whole seconds since the epoch; 0 for a time that is not given, as Go's zero time would be far before it. */
function seconds(time: string): number {
  const milliseconds = Date.parse(time);
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}
