import { pipeline } from "node:stream/promises";
import type { Builder } from "../../builder/builder.ts";
import { type CacheEntry, readCacheFrom, readCacheTo } from "../../builder/caches/entries.ts";
import type { KeptEntry } from "../../builder/prune.ts";
import type { BuildRequest, ContextSource } from "../../builder/types.ts";
import type { Ulimit } from "../../containers/types.ts";
import { parseDuration } from "../../duration.ts";
import { EngineError } from "../../errors.ts";
import type { Filters } from "../../filters.ts";
import { decompress } from "../../images/decompress.ts";
import { familiar, parseReference, withDefaultTag } from "../../images/reference.ts";
import type { Workers } from "../../native/workers.ts";
import { ClassicStream, failureMessage, TypedStream } from "../build-stream.ts";
import { registryLogins } from "../registry-auth.ts";
import type { ApiRequest, Reply, Route } from "../router.ts";

export interface BuildRoutesDeps {
  readonly builder: Builder;
  readonly workers: Workers;
}

/** Docker's classic build, and ours, which reads the context where it lies. */
export function buildRoutes({ builder, workers }: BuildRoutesDeps): Route[] {
  return [
    ...cacheMountRoutes(builder, workers),
    { method: "POST", path: "/build", handle: (request, reply) => classicBuild(builder, request, reply) },
    {
      method: "POST",
      path: "/build/prune",
      handle: (request, reply) => pruneBuilds(builder, request, reply),
    },
    {
      method: "POST",
      path: "/slipway/v1/build",
      handle: (request, reply) => localBuild(builder, request, reply),
    },
  ];
}

/** Cache mounts can be taken to another machine, as a CI runner that begins with nothing needs it. */
function cacheMountRoutes({ cacheMounts }: Builder, workers: Workers): Route[] {
  const path = "/slipway/v1/builder/mounts";
  return [
    {
      method: "GET",
      path,
      async handle(_request, reply) {
        const kept = await cacheMounts.list(workers);
        reply.json(
          200,
          kept.map(({ id, bytes, inUse }) => ({ ID: id, Size: bytes, InUse: inUse })),
        );
      },
    },
    {
      method: "GET",
      path: `${path}/archive`,
      async handle({ query }, reply) {
        const archive = await cacheMounts.export(query.string("id"), workers);
        await pipeline(archive, reply.stream(200, "application/x-tar"));
      },
    },
    {
      method: "PUT",
      path: `${path}/archive`,
      async handle({ query, body }, reply) {
        const id = query.string("id");
        if (id === "") throw new EngineError("invalid", "a cache mount has an id");
        const { stream } = await decompress(body);
        await cacheMounts.import(id, stream, workers);
        reply.empty(204);
      },
    },
  ];
}

async function classicBuild(builder: Builder, request: ApiRequest, reply: Reply): Promise<void> {
  const { query } = request;
  if (query.string("version") === "2") {
    throw new EngineError("notImplemented", "BuildKit's form of /build is not served: build with version=1");
  }
  const tags = namesOf(query.list("t"));
  const quiet = query.bool("q");
  const build: BuildRequest = {
    ...classicContext(request),
    args: argumentsOf(query.json<Record<string, string | null>>("buildargs")),
    labels: query.json<Record<string, string>>("labels"),
    target: query.string("target"),
    platform: query.string("platform"),
    noCache: query.bool("nocache"),
    pull: query.bool("pull"),
    network: query.string("networkmode"),
    extraHosts: query
      .list("extrahosts")
      .flatMap((hosts) => hosts.split(","))
      .filter((host) => host !== ""),
    shmSize: query.int("shmsize") || undefined,
    ulimits: query.json<Ulimit[]>("ulimits"),
    // Whoever may ask for a build here may start a container with the host's network too.
    entitlements: ["network.host"],
    auth: registryLogins(request.headers["x-registry-config"]),
    tags,
    cacheFrom: query.json<string[]>("cachefrom")?.map(readCacheFrom),
    signal: request.signal,
  };
  const progress = reply.progress();
  let begun = false;
  const stream = new ClassicStream((message) => {
    begun = true;
    if (!quiet || !("stream" in message)) progress.write(message);
  });
  try {
    const { imageId } = await builder.build(build, (event) => stream.event(event));
    stream.finish(imageId, tags);
    if (quiet) progress.write({ stream: `${imageId}\n` });
  } catch (error) {
    // What is wrong before anything was done has its own status, as Docker answers it.
    if (!begun) throw error;
    progress.write(failureMessage(error, true));
  }
  progress.end();
}

function classicContext({
  query,
  body,
  headers,
}: ApiRequest): Pick<BuildRequest, "context" | "dockerfile" | "dockerfileText"> {
  const dockerfile = query.string("dockerfile") || undefined;
  const remote = query.string("remote");
  if (remote !== "" && remote !== "client-session")
    return { context: { kind: "remote", url: remote }, dockerfile };
  const type = headers["content-type"] ?? "";
  if (type.startsWith("text/plain")) throw new EngineError("invalid", "a build's body must be a tar");
  return { context: { kind: "tar", stream: body }, dockerfile };
}

type Lowercased<T> = { readonly [K in keyof T as Lowercase<K & string>]: T[K] };

interface LocalBuild {
  readonly directory?: string;
  readonly remote?: string;
  readonly dockerfile?: string;
  readonly dockerfileInline?: string;
  readonly tags?: readonly string[];
  readonly target?: string;
  readonly platform?: string;
  readonly args?: Readonly<Record<string, string | null>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly noCache?: boolean;
  readonly noCacheFilter?: readonly string[];
  readonly pull?: boolean;
  readonly network?: string;
  readonly extraHosts?: readonly string[];
  readonly shmSize?: number;
  /** Docker's names of the fields, or Compose's. */
  readonly ulimits?: readonly (Ulimit | Lowercased<Ulimit>)[];
  readonly secrets?: readonly { readonly id: string; readonly file?: string; readonly value?: string }[];
  readonly ssh?: readonly { readonly id: string; readonly socket: string }[];
  readonly contexts?: Readonly<Record<string, string>>;
  readonly entitlements?: readonly string[];
  readonly check?: boolean;
  readonly explain?: boolean;
  readonly outputs?: BuildRequest["outputs"];
  readonly attest?: BuildRequest["attest"];
  readonly cacheTo?: readonly CacheEntry[];
  readonly cacheFrom?: readonly CacheEntry[];
  readonly keepFailed?: boolean;
}

async function localBuild(builder: Builder, request: ApiRequest, reply: Reply): Promise<void> {
  const body = await request.json<LocalBuild>();
  const tags = namesOf(body.tags ?? []);
  const build: BuildRequest = {
    ...body,
    context: localContext(body),
    dockerfileText: body.dockerfileInline,
    args: argumentsOf(body.args),
    ulimits: body.ulimits?.map(ulimit),
    cacheTo: body.cacheTo?.map(readCacheTo),
    cacheFrom: body.cacheFrom?.map(readCacheFrom),
    secrets: body.secrets?.map(({ id, file, value }) => ({
      id,
      file,
      value: value === undefined ? undefined : Buffer.from(value),
    })),
    auth: registryLogins(request.headers["x-registry-config"]),
    tags,
    signal: request.signal,
  };
  const progress = reply.progress();
  const stream = new TypedStream((message) => progress.write(message));
  try {
    stream.finish(await builder.build(build, (event) => stream.event(event)));
  } catch (error) {
    progress.write(failureMessage(error, false));
  }
  progress.end();
}

function ulimit(limit: Ulimit | Lowercased<Ulimit>): Ulimit {
  return "name" in limit ? { Name: limit.name, Soft: limit.soft, Hard: limit.hard } : limit;
}

function localContext({ directory, remote }: LocalBuild): ContextSource {
  if (directory !== undefined) return { kind: "directory", path: directory };
  return remote === undefined ? { kind: "none" } : { kind: "remote", url: remote };
}

/** Filters: `until` (a duration back from now, or a time), `unused-for` the same, and what an entry is. */
async function pruneBuilds(builder: Builder, { query }: ApiRequest, reply: Reply): Promise<void> {
  const filters = query.filters();
  filters.accept("until", "unused-for", ...ENTRY_FILTERS);
  const until = filters.values("until")[0] ?? filters.values("unused-for")[0];
  const { deleted, bytes } = await builder.prune({
    all: query.bool("all"),
    unusedSince: until === undefined ? undefined : timeBefore(until),
    keepBytes: query.int("keep-storage") || undefined,
    matches: entryFilter(filters),
  });
  reply.json(200, { CachesDeleted: deleted, SpaceReclaimed: bytes });
}

const ENTRY_FILTERS = ["id", "type", "description", "inuse", "shared", "private"] as const;

/** @returns undefined where nothing is asked of the entries themselves */
function entryFilter(filters: Filters): ((entry: KeptEntry) => boolean) | undefined {
  if (ENTRY_FILTERS.every((name) => filters.values(name).length === 0)) return undefined;
  const asked = (name: (typeof ENTRY_FILTERS)[number], holds: (value: string) => boolean): boolean => {
    const values = filters.values(name);
    return values.length === 0 || values.some(holds);
  };
  const is = (value: boolean) => (text: string) => value === (text === "true" || text === "1" || text === "");
  return ({ id, type, description, inUse, shared }) =>
    asked("id", (value) => value !== "" && id.startsWith(value)) &&
    asked("type", (value) => type === value) &&
    asked("description", (value) => description.includes(value)) &&
    asked("inuse", is(inUse)) &&
    asked("shared", is(shared)) &&
    asked("private", is(!shared));
}

/** @returns milliseconds since the epoch */
function timeBefore(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  return Date.now() - parseDuration(text) / 1e6;
}

/** @throws {EngineError} invalid, before anything is built */
function namesOf(tags: readonly string[]): string[] {
  return tags.filter((tag) => tag !== "").map((tag) => familiar(withDefaultTag(parseReference(tag))));
}

/** An argument without a value is one that the client's environment does not have. */
function argumentsOf(args: Readonly<Record<string, string | null>> | undefined): Record<string, string> {
  const given = Object.entries(args ?? {}).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(given);
}
