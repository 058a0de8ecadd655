/**
 * BuildKit's control service, as `docker build`, buildx and Compose call it: they open a build (Solve), follow it
 * (Status), and within it ask the "bridge" to build a Dockerfile. The build itself is our builder's.
 *
 * @see github.com/moby/buildkit client/build.go, frontend/gateway/grpcclient/client.go: what the clients do
 */
import type { Builder } from "../../builder/builder.ts";
import type { StepRecord } from "../../builder/cache.ts";
import { readCacheFrom, readCacheTo } from "../../builder/caches/entries.ts";
import { BuildFailure } from "../../builder/failure.ts";
import type { BuildRequest } from "../../builder/types.ts";
import { EngineError, messageOf } from "../../errors.ts";
import type { Host } from "../../host.ts";
import type { Images } from "../../images/images.ts";
import { full, parseReference, withDefaultTag } from "../../images/reference.ts";
import type { Workers } from "../../native/workers.ts";
import { Agents } from "./agents.ts";
import {
  addressedContext,
  fetchDefinition,
  fetchSecret,
  NamedContexts,
  sessionLogin,
  streamContext,
} from "./context.ts";
import { CODE, type GrpcCall, GrpcError, type GrpcMethods, only, unary } from "./grpc.ts";
import * as messages from "./messages.ts";
import { namedContexts, readOptions } from "./options.ts";
import { type Exporter, namesOf, pushedNames, SessionOutputs } from "./outputs.ts";
import type { TypeOf } from "./protobuf.ts";
import type { BuildSession, Sessions } from "./sessions.ts";
import { BuildStatus, timestamp } from "./status.ts";
import { type Answer, answerSubrequest } from "./subrequests.ts";

export interface ControlDeps {
  readonly builder: Pick<Builder, "build" | "prune" | "cache">;
  readonly workers: Pick<Workers, "untar" | "walk">;
  readonly images: Pick<Images, "push">;
  readonly sessions: Sessions;
  readonly host: Host;
  /** Where files of a session may be unpacked. */
  readonly directory: string;
}

type SolveRequest = TypeOf<typeof messages.SolveRequest>;

/** A build from Solve to its end; Status may ask for it earlier. */
interface Build {
  readonly status: BuildStatus;
  readonly request: PromiseWithResolvers<SolveRequest>;
  readonly returned: PromiseWithResolvers<void>;
  readonly stop: AbortController;
  imageId: string;
}

/** What the bridge can do; the client asks for nothing beyond. */
const CAPABILITIES = [
  ...[
    "solve.base",
    "solve.inlinereturn",
    "readfile",
    "return",
    "returnmap",
    "readdir",
    "statfile",
    "importcaches",
  ],
  ...["protoref", "reference.output", "frontend.inputs", "gateway.solve.metadata", "frontend.caps"],
  ...["gateway.evaluate.solve", "gateway.warnings", "resolveimage", "resolveimage.resolvemode"],
];

/** How long a build that has ended is remembered, for a Status that comes late. */
const KEPT_MS = 10_000;

export class BuildkitControl {
  readonly #deps: ControlDeps;
  readonly #builds = new Map<string, Build>();

  constructor(deps: ControlDeps) {
    this.#deps = deps;
  }

  methods(): GrpcMethods {
    const control = "/moby.buildkit.v1.Control";
    const bridge = "/moby.buildkit.v1.frontend.LLBBridge";
    const { Empty } = messages;
    return {
      [`${control}/ListWorkers`]: unary(Empty, messages.WorkersAnswer, async () => ({
        workers: [this.#worker()],
      })),
      [`${control}/Info`]: unary(Empty, messages.InfoAnswer, async () => ({
        version: { package: "slipway", version: "v0.13.0", revision: "" },
      })),
      [`${control}/Solve`]: unary(messages.SolveRequest, messages.SolveAnswer, (request, call) =>
        this.#solve(request, call),
      ),
      [`${control}/Status`]: (call) => this.#status(call),
      [`${control}/DiskUsage`]: unary(Empty, messages.UsageAnswer, async () => ({
        records: this.#deps.builder.cache.all().map(usageOf),
      })),
      [`${control}/Prune`]: (call) => this.#prune(call),
      [`${bridge}/Ping`]: unary(Empty, messages.Pong, async () => ({
        frontend: CAPABILITIES.map((id) => ({ id, enabled: true })),
        llb: [],
        workers: [this.#worker()],
      })),
      [`${bridge}/Solve`]: unary(
        messages.BridgeSolveRequest,
        messages.BridgeSolveAnswer,
        async (request, call) => {
          const build = this.#find(call);
          const question = request.options["requestid"];
          if (question) return { result: { metadata: await this.#answer(build, question, request.options) } };
          await this.#run(build, request.frontend, request.options, request.cacheImports);
          return { result: { ref: { id: build.imageId } } };
        },
      ),
      [`${bridge}/Return`]: unary(messages.ReturnRequest, Empty, async ({ error }, call) => {
        const { returned } = this.#find(call);
        const { code, message } = messages.Status.decode(error);
        // As the client has it, with the details that it had from us.
        if (code !== 0) returned.reject(new GrpcError(code, message, error));
        else returned.resolve();
        return {};
      }),
      [`${bridge}/Warn`]: unary(Empty, Empty, async () => ({})),
      // Clients send their traces; nobody here looks at them.
      "/opentelemetry.proto.collector.trace.v1.TraceService/Export": unary(Empty, Empty, async () => ({})),
    };
  }

  async #solve(request: SolveRequest, call: GrpcCall): Promise<{ exported: Record<string, string> }> {
    const build = this.#build(request.ref);
    call.signal.addEventListener("abort", () => {
      build.stop.abort();
      build.returned.reject(new EngineError("system", "the client is gone"));
    });
    build.request.resolve(request);
    try {
      if (request.frontend === "") await build.returned.promise;
      else await this.#run(build, request.frontend, request.frontendAttributes, []);
      if (build.imageId === "") return { exported: {} };
      const { imageId } = build;
      return {
        exported: {
          "containerimage.digest": imageId,
          "containerimage.config.digest": imageId,
          "image.name": namesOf(exportersOf(request))
            .map((name) => full(withDefaultTag(parseReference(name))))
            .join(","),
        },
      };
    } finally {
      build.status.close();
      setTimeout(() => this.#builds.delete(request.ref), KEPT_MS).unref();
    }
  }

  async #status(call: GrpcCall): Promise<void> {
    const { ref } = messages.StatusRequest.decode(await only(call.messages));
    for await (const update of this.#build(ref).status.updates()) {
      await call.send(messages.StatusAnswer.encode(update));
    }
  }

  /** Builds a Dockerfile whose files the client's session has. */
  async #run(
    build: Build,
    frontend: string,
    options: Readonly<Record<string, string>>,
    cacheImports: readonly CacheAttributes[],
  ): Promise<void> {
    const { builder, sessions, workers, directory } = this.#deps;
    if (frontend !== "dockerfile.v0") {
      throw new EngineError("notImplemented", `the frontend ${frontend || "of LLB"} is not supported`);
    }
    const request = await build.request.promise;
    const exporters = exportersOf(request);
    const stated = readOptions(options);
    const session = await sessions.find(request.session);
    const { status } = build;
    await using named = new NamedContexts(workers, directory);
    const contexts = await named.fetch(session, namedContexts(options));
    const source = await this.#source(build, session, options);
    await using agents = new Agents(session, directory);
    await using outputs = await SessionOutputs.open(directory, exporters);
    const work = builder.build(
      {
        ...stated,
        tags: namesOf(exporters),
        outputs: outputs.outputs,
        contexts,
        findSecret: (id) => fetchSecret(session, id),
        findAgent: (id) => agents.find(id),
        entitlements: request.entitlements,
        cacheTo: (request.cache?.exports ?? []).map((entry) => readCacheTo(cacheEntry(entry))),
        cacheFrom: cacheSources(request, options, cacheImports),
        ...source,
        auth: (registry) => sessionLogin(session, registry),
        signal: build.stop.signal,
      },
      (event) => status.onEvent(event),
    );
    try {
      build.imageId = (await work).imageId;
    } catch (error) {
      status.fail(messageOf(error));
      throw withSource(error);
    }
    await status.during("exporting the result", () => outputs.send(session, workers));
    for (const name of pushedNames(exporters)) {
      await status.during(`pushing ${name}`, () => this.#push(session, name, build.stop.signal));
    }
  }

  /** What is asked of a Dockerfile without building it. */
  async #answer(build: Build, question: string, options: Readonly<Record<string, string>>): Promise<Answer> {
    const { builder, sessions } = this.#deps;
    const { session: id } = await build.request.promise;
    const {
      dockerfileText: text,
      dockerfile: name = "Dockerfile",
      context,
    } = await this.#source(build, await sessions.find(id), options);
    if (text === undefined)
      throw new EngineError("notImplemented", `${question} is answered for a local context only`);
    const stated = readOptions(options);
    return answerSubrequest(question, { text, name }, stated, async () => {
      const { warnings } = await builder.build({
        ...stated,
        context,
        dockerfile: name,
        dockerfileText: text,
        check: true,
      });
      return warnings;
    });
  }

  async #push(session: BuildSession, name: string, signal: AbortSignal): Promise<void> {
    const auth = await sessionLogin(session, parseReference(name).domain);
    await this.#deps.images.push(name, { signal, ...(auth && { auth }) }, () => {});
  }

  /** What is built: the files of the session, or what the client names by an address. */
  async #source(
    { status }: Build,
    session: BuildSession,
    options: Readonly<Record<string, string>>,
  ): Promise<Pick<BuildRequest, "context" | "dockerfile" | "dockerfileText">> {
    const dockerfile = options["filename"] || "Dockerfile";
    const address = options["context"];
    if (address) return { context: addressedContext(session, address), dockerfile };
    const { text, ignore } = await status.during(`[internal] load build definition from ${dockerfile}`, () =>
      fetchDefinition(session, dockerfile),
    );
    return { context: streamContext(session, ignore), dockerfile, dockerfileText: text };
  }

  async #prune(call: GrpcCall): Promise<void> {
    const { all, keepSeconds, keepBytes } = messages.PruneRequest.decode(await only(call.messages));
    const before = new Map(this.#deps.builder.cache.all().map((step) => [step.key, step]));
    const { deleted } = await this.#deps.builder.prune({
      all,
      // The field is named for seconds and holds nanoseconds.
      unusedSince: keepSeconds > 0 ? Date.now() - keepSeconds / 1e6 : undefined,
      keepBytes: keepBytes > 0 ? keepBytes : undefined,
    });
    for (const key of deleted) {
      const step = before.get(key);
      if (step !== undefined) await call.send(messages.UsageRecord.encode(usageOf(step)));
    }
  }

  #build(ref: string): Build {
    const known = this.#builds.get(ref);
    if (known !== undefined) return known;
    const build: Build = {
      status: new BuildStatus(ref),
      request: Promise.withResolvers(),
      returned: Promise.withResolvers(),
      stop: new AbortController(),
      imageId: "",
    };
    build.returned.promise.catch(() => {}); // read only where a client returns a result of its own
    this.#builds.set(ref, build);
    return build;
  }

  /** Calls to the bridge name their build in a header. */
  #find(call: GrpcCall): Build {
    return this.#build(String(call.headers["buildkit-controlapi-buildid"] ?? ""));
  }

  #worker(): {
    id: string;
    labels: Record<string, string>;
    platforms: { architecture: string; os: string }[];
  } {
    return {
      id: "slipway",
      labels: { "org.mobyproject.buildkit.worker.executor": "slipway" },
      platforms: [{ architecture: this.#deps.host.architecture, os: "linux" }],
    };
  }
}

type CacheAttributes = Partial<{
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}>;

function cacheEntry({ type = "", attributes = {} }: CacheAttributes): Readonly<Record<string, string>> {
  return { type, ...attributes };
}

/** Clients say it in one of three places. Directories of the client are not to be had, and are done without. */
function cacheSources(
  { cache }: SolveRequest,
  options: Readonly<Record<string, string>>,
  imports: readonly CacheAttributes[],
): BuildRequest["cacheFrom"] {
  const written = JSON.parse(options["cache-imports"] ?? "[]") as {
    Type: string;
    Attrs: Record<string, string>;
  }[];
  const all = [
    ...(cache?.imports ?? []),
    ...imports,
    ...written.map(({ Type, Attrs }) => ({ type: Type, attributes: Attrs })),
  ];
  return all.filter(({ type }) => type !== "local").map((entry) => readCacheFrom(cacheEntry(entry)));
}

/** The Dockerfile's place goes along, which the client then shows. */
function withSource(error: unknown): unknown {
  if (!(error instanceof BuildFailure) || error.source === undefined) return error;
  const { text, range } = error.source;
  const at = (line: number): { line: number } => ({ line });
  const value = messages.ErrorSource.encode({
    info: { file: error.details.file ?? "Dockerfile", text: Buffer.from(text), language: "Dockerfile" },
    ranges: [{ start: at(range.start.line), end: at(range.end.line) }],
  });
  const status = { code: CODE.unknown, message: error.message, details: [{ type: "errdefs.Source", value }] };
  return new GrpcError(CODE.unknown, error.message, messages.Status.encode(status));
}

function exportersOf(request: SolveRequest): Exporter[] {
  const { exporters, oldExporter, oldAttributes } = request;
  if (exporters.length === 0) return [{ type: oldExporter, attributes: oldAttributes }];
  return exporters.map(({ type = "", attributes = {} }) => ({ type, attributes }));
}

function usageOf(step: StepRecord): Partial<TypeOf<typeof messages.UsageRecord>> {
  return {
    id: step.key.slice(0, 25),
    size: step.size,
    usageCount: step.uses,
    description: step.title,
    type: "regular",
    created: timestamp(Date.parse(step.created)),
    lastUsed: timestamp(step.usedAt),
  };
}
