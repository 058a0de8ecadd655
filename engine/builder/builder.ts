/**
 * Builds images from Dockerfiles: the context is read where it lies, steps are keyed by content, a step's upper
 * directory becomes a layer as it is.
 */
import { mkdir, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { StepRunner } from "../containers/types.ts";
import type { Images } from "../images/images.ts";
import { Trash } from "../images/trash.ts";
import type { Workers } from "../native/workers.ts";
import type { Paths } from "../store/paths.ts";
import { Build } from "./build.ts";
import { StepCache } from "./cache.ts";
import { CacheMounts } from "./cache-mounts.ts";
import { Contexts } from "./context/contexts.ts";
import { Downloads } from "./downloads.ts";
import { type Pruned, type PruneOptions, prune, removeStale } from "./prune.ts";
import { Remotes } from "./remotes.ts";
import type { StepOutcome } from "./solve.ts";
import type { BuildProgress, BuildRequest, BuildResult } from "./types.ts";

export interface BuilderDeps {
  readonly paths: Paths;
  readonly workers: Workers;
  readonly images: Images;
  /** The containers. */
  readonly runner: StepRunner;
}

/** Results of steps that are kept without being asked for: bytes, and part of the disk. */
const MOST_KEPT = 20 * 2 ** 30;
const MOST_OF_DISK = 0.2;
const COLLECT_EVERY = 10 * 60 * 1000; // milliseconds

export class Builder {
  readonly #deps: BuilderDeps;
  readonly #cache: StepCache;
  readonly #trash: Trash;
  readonly #cacheMounts: CacheMounts;
  readonly #contexts: Contexts;
  readonly #downloads: Downloads;
  #collected = Date.now();
  readonly #running = new Map<string, Promise<StepOutcome>>();

  private constructor(deps: BuilderDeps, cache: StepCache, trash: Trash) {
    this.#deps = deps;
    this.#cache = cache;
    this.#trash = trash;
    this.#contexts = new Contexts(join(deps.paths.builder, "hashes"), deps.workers);
    this.#downloads = new Downloads(join(deps.paths.builder, "downloads"));
    this.#cacheMounts = new CacheMounts(join(deps.paths.builder, "mounts"));
  }

  /** Opens the cache; what an earlier daemon's builds left half done goes. */
  static async open(deps: BuilderDeps): Promise<Builder> {
    const { builder } = deps.paths;
    for (const name of ["work", "hashes", "mounts", "steps", "manifests", "downloads", "empty"])
      await mkdir(join(builder, name), { recursive: true, mode: 0o700 });
    const trash = new Trash(deps.paths.trash, deps.workers);
    for (const name of await readdir(join(builder, "work"))) await trash.discard(join(builder, "work", name));
    return new Builder(deps, await StepCache.open(deps.paths, deps.images), trash);
  }

  /**
   * @throws {BuildFailure} with the Dockerfile's place, for whatever the Dockerfile, its context or its commands are to
   *   blame for; {EngineError} otherwise
   */
  async build(request: BuildRequest, progress: BuildProgress = () => {}): Promise<BuildResult> {
    const build = new Build({
      ...this.#deps,
      cache: this.#cache,
      trash: this.#trash,
      cacheMounts: this.#cacheMounts,
      remotes: new Remotes(this.#downloads),
      contexts: this.#contexts,
      running: this.#running,
    });
    const result = await build.run(request, progress);
    void this.#collect();
    return result;
  }

  /** Removes results of steps that are not in use. */
  async prune(options: PruneOptions): Promise<Pruned> {
    const { images, workers } = this.#deps;
    const { directory } = this.#downloads;
    const own = {
      cache: this.#cache,
      cacheMounts: this.#cacheMounts,
      trash: this.#trash,
      downloads: directory,
    };
    return prune({ images, workers, ...own }, options);
  }

  /** Keeps the cache within its part of the disk, some time after builds; a failure waits for the next time. */
  async #collect(): Promise<void> {
    if (Date.now() - this.#collected < COLLECT_EVERY) return;
    this.#collected = Date.now();
    try {
      await removeStale(join(this.#deps.paths.builder, "hashes"));
      const { bsize, blocks } = await statfs(this.#deps.paths.builder);
      await this.prune({ all: false, keepBytes: Math.min(MOST_KEPT, bsize * blocks * MOST_OF_DISK) });
    } catch {
      // Nothing was asked of us, so nobody is told.
    }
  }

  /** The directories of `RUN --mount=type=cache`. */
  get cacheMounts(): CacheMounts {
    return this.#cacheMounts;
  }

  get cache(): StepCache {
    return this.#cache;
  }
}
