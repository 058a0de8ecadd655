/** One build, from the request to the image. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import type { Lease } from "../images/leases.ts";
import { parseReference } from "../images/reference.ts";
import type { Trash } from "../images/trash.ts";
import type { Image, Platform } from "../images/types.ts";
import type { DirectoryTree } from "../native/trees.ts";
import { baseImage } from "./bases.ts";
import type { BuilderDeps } from "./builder.ts";
import type { StepCache } from "./cache.ts";
import type { CacheMounts } from "./cache-mounts.ts";
import { exportCache } from "./caches/export.ts";
import { CacheImports } from "./caches/import.ts";
import type { Contexts } from "./context/contexts.ts";
import { LONE_FILE, type OpenContext, openContext } from "./context/open.ts";
import type { Linter } from "./dockerfile/lint.ts";
import { asFailure, BuildFailure } from "./failure.ts";
import { parseGitReference } from "./giturl.ts";
import { layoutImage } from "./layout-image.ts";
import { parsePlatform } from "./plan/arguments.ts";
import type { PlanOptions, PlanSources } from "./plan/context.ts";
import { linterFor, planBuild } from "./plan/stages.ts";
import type { BaseImage, BuildPlan, Step } from "./plan/types.ts";
import { OWN_PLATFORM, refuseForeign } from "./platform.ts";
import type { Remotes } from "./remotes.ts";
import { Delivery } from "./results/deliver.ts";
import { checkOutputs } from "./results/outputs.ts";
import { type Solved, Solver, type StepOutcome } from "./solve.ts";
import { openArchive } from "./steps/archive.ts";
import type { StepTools } from "./steps/types.ts";
import { Trees } from "./trees.ts";
import type { BuildProgress, BuildRequest, BuildResult } from "./types.ts";

export interface BuildDeps extends BuilderDeps {
  readonly cache: StepCache;
  readonly trash: Trash;
  readonly cacheMounts: CacheMounts;
  readonly remotes: Remotes;
  readonly contexts: Contexts;
  readonly running: Map<string, Promise<StepOutcome>>;
}

export class Build {
  readonly #deps: BuildDeps;
  readonly #directory: string;
  #scratches = 0;

  constructor(deps: BuildDeps) {
    this.#deps = deps;
    this.#directory = join(deps.paths.builder, "work", randomBytes(8).toString("hex"));
  }

  async run(request: BuildRequest, progress: BuildProgress): Promise<BuildResult> {
    const { workers, trash, images } = this.#deps;
    const lease = images.lease();
    try {
      for (const tag of request.tags ?? []) parseReference(tag);
      checkOutputs(request.outputs ?? [], request);
      const context = await openContext({
        source: request.context,
        dockerfile: request.dockerfile,
        dockerfileText: request.dockerfileText,
        workers,
        scratch: () => this.#scratch(),
        fetch: (url) => this.#fetch(url, request.signal),
      });
      return await this.#build(request, context, lease, progress);
    } finally {
      lease.release();
      await trash.discard(this.#directory);
    }
  }

  async #build(
    request: BuildRequest,
    context: OpenContext,
    lease: Lease,
    progress: BuildProgress,
  ): Promise<BuildResult> {
    const { text, name } = context.dockerfile;
    const trees = new Trees(this.#deps, context, request.contexts ?? {}, {
      fetch: (url) => this.#fetch(url, request.signal),
      image: (reference) => this.#bring(reference, OWN_PLATFORM, request, lease, progress),
      layout: (named) => layoutImage(named, OWN_PLATFORM, this.#deps.images, lease),
    });
    if (request.check !== true) trees.expect();
    const linter = linterFor(text);
    const started = new Date();
    let told = 0;
    const tellWarnings = (): void => {
      for (const warning of linter.warnings.slice(told)) progress({ kind: "warning", warning });
      told = linter.warnings.length;
    };
    try {
      const plan = await this.#plan(request, context, trees, linter, lease, progress).finally(tellWarnings);
      if (request.check === true) return { imageId: "", warnings: linter.warnings };
      const solver = this.#solver(request, trees, lease, plan, progress, text, name);
      trees.connect(solver);
      const result = await solver.solve(plan);
      await trees.save();
      const status = (said: string): void => progress({ kind: "status", text: said });
      const facts = { request, plan, dockerfile: context.dockerfile, started };
      const deps = { ...this.#deps, lease, status, scratch: () => this.#scratch() };
      const delivered = await new Delivery(facts, deps).run(result);
      await this.#exportCaches(result, request, progress);
      return { ...delivered, warnings: linter.warnings };
    } catch (error) {
      throw asFailure(error, text, name);
    }
  }

  async #plan(
    request: BuildRequest,
    context: OpenContext,
    trees: Trees,
    linter: Linter,
    lease: Lease,
    progress: BuildProgress,
  ): Promise<BuildPlan> {
    const platform = request.platform ? parsePlatform(request.platform, OWN_PLATFORM) : OWN_PLATFORM;
    if (request.check !== true) refuseForeign(platform);
    const options: PlanOptions = {
      args: new Map(Object.entries(request.args ?? {})),
      labels: request.labels ?? {},
      target: request.target ?? "",
      platform,
      noCache: request.noCache === true ? "all" : (request.noCacheFilter ?? []),
      network: networkOf(request.network),
      allStages: request.check === true && !request.target,
    };
    const sources: PlanSources = {
      image: (reference, wanted) => this.#bring(reference, wanted, request, lease, progress),
      namedContext: (name) => trees.named(name),
      ignored: context.ignore,
    };
    return planBuild(context.dockerfile.text, options, sources, linter);
  }

  /** An image to build on or to take files from. */
  async #bring(
    reference: string,
    wanted: Platform,
    request: BuildRequest,
    lease: Lease,
    progress: BuildProgress,
  ): Promise<BaseImage> {
    const { images } = this.#deps;
    // A check brings no image: what is not here counts as an empty one.
    if (request.check === true) return localOrEmpty(images.resolve(reference), reference, wanted);
    refuseForeign(wanted);
    const image = await baseImage(images, reference, wanted, {
      pull: request.pull === true,
      auth: request.auth,
      signal: request.signal,
      status: (text) => progress({ kind: "status", text }),
    });
    // From now on: a removal beside this build would take its layers.
    lease.hold(image.id, ...image.config.rootfs.diff_ids);
    return image;
  }

  #solver(
    request: BuildRequest,
    trees: Trees,
    lease: Lease,
    plan: BuildPlan,
    progress: BuildProgress,
    text: string,
    name: string,
  ): Solver {
    // One failure ends the other stages too; their own errors are then no news.
    const abort = new AbortController();
    const signal =
      request.signal === undefined ? abort.signal : AbortSignal.any([request.signal, abort.signal]);
    let first: unknown;
    const secrets = new Map((request.secrets ?? []).map((secret) => [secret.id, secret]));
    const agents = new Map((request.ssh ?? []).map(({ id, socket }) => [id, socket]));
    const tools: StepTools = {
      ...this.#deps,
      secret: async (id) => secrets.get(id) ?? (await request.findSecret?.(id)),
      agent: async (id) => agents.get(id) ?? (await request.findAgent?.(id)),
      extraHosts: request.extraHosts ?? [],
      shmSize: request.shmSize,
      ulimits: request.ulimits ?? [],
      entitlements: new Set(request.entitlements ?? []),
      epoch: plan.epoch,
      signal,
      tree: (source) => trees.of(source),
      scratch: () => this.#scratch(),
    };
    return new Solver({
      ...this.#deps,
      lease,
      tools,
      progress,
      explain: request.explain === true,
      imports: this.#imports(request, lease, progress),
      keepFailed: request.keepFailed === true,
      failed: (error: unknown, step: Step) => {
        if (first === undefined) {
          first = asFailure(error, text, name, step);
          abort.abort(new EngineError("invalid", "another stage of the build failed"));
        }
        return request.signal?.aborted === true ? error : error instanceof BuildFailure ? error : first;
      },
    });
  }

  #imports({ cacheFrom = [], auth, signal }: BuildRequest, lease: Lease, progress: BuildProgress) {
    if (cacheFrom.length === 0) return undefined;
    const status = (text: string): void => progress({ kind: "status", text });
    return new CacheImports(cacheFrom, {
      ...this.#deps,
      lease,
      platform: OWN_PLATFORM,
      auth,
      signal,
      status,
    });
  }

  async #exportCaches(
    { records, layers }: Solved,
    request: BuildRequest,
    progress: BuildProgress,
  ): Promise<void> {
    const { cacheTo = [], auth, signal } = request;
    const status = (text: string): void => progress({ kind: "status", text });
    const image = new Set(layers.map(({ diffId }) => diffId));
    for (const to of cacheTo) {
      if (to.type !== "inline")
        await exportCache(to, records, image, { images: this.#deps.images, auth, signal, status });
    }
  }

  async #fetch(url: string, signal = new AbortController().signal): Promise<string> {
    const { remotes, workers } = this.#deps;
    const tools = { workers, signal, scratch: () => this.#scratch() };
    const git = parseGitReference(url);
    if (git !== undefined) {
      const { remote, ref, subdirectory, checksum, submodules = true } = git;
      const item = {
        kind: "git",
        remote,
        ref,
        subdirectory,
        checksum: checksum || undefined,
        keepGitDirectory: false,
        submodules,
      } as const;
      const { tree, found } = await remotes.clone(item, tools);
      return join((tree.root as DirectoryTree).path, found.path);
    }
    const { tree, found } = await remotes.download(
      { kind: "url", url, name: "context", checksum: undefined, unpack: false },
      tools,
    );
    const directory = await this.#scratch();
    const into = { kind: "dir", path: directory } as const;
    const archive = await openArchive(await tree.read(found.path));
    if (archive !== undefined) await workers.untar(archive, into, { whiteouts: "plain" });
    // A Dockerfile alone: it is the only file of its context, by the name that BuildKit gives it.
    else await workers.copy(tree.root, into, { items: [{ source: found.path, target: LONE_FILE }] });
    return directory;
  }

  async #scratch(): Promise<string> {
    const directory = join(this.#directory, String(++this.#scratches));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return directory;
  }
}

function localOrEmpty(
  image: Image | undefined,
  reference: string,
  { os, architecture }: Platform,
): BaseImage {
  if (image !== undefined) return { reference, id: image.id, config: image.config };
  return { reference, id: "", config: { os, architecture, rootfs: { type: "layers", diff_ids: [] } } };
}

function networkOf(text: string | undefined): PlanOptions["network"] {
  if (text === undefined || text === "" || text === "default" || text === "bridge") return "default";
  if (text === "none" || text === "host") return text;
  throw new EngineError(
    "invalid",
    `network mode "${text}" not supported by the builder: default, none or host`,
  );
}
