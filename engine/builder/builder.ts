/**
 * Builds images from Dockerfiles: the context is read where it lies, steps are keyed by content, a step's upper
 * directory becomes a layer as it is.
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { StepRunner } from "../containers/types.ts";
import type { Images } from "../images/images.ts";
import { Trash } from "../images/trash.ts";
import type { Workers } from "../native/workers.ts";
import type { Paths } from "../store/paths.ts";
import { Build } from "./build.ts";
import { StepCache } from "./cache.ts";
import { CacheMounts } from "./cache-mounts.ts";
import { HashStore } from "./context/hashes.ts";
import { type Pruned, type PruneOptions, prune } from "./prune.ts";
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

export class Builder {
  readonly #deps: BuilderDeps;
  readonly #cache: StepCache;
  readonly #trash: Trash;
  readonly #cacheMounts: CacheMounts;
  readonly #hashes: HashStore;
  readonly #running = new Map<string, Promise<StepOutcome>>();

  private constructor(deps: BuilderDeps, cache: StepCache, trash: Trash) {
    this.#deps = deps;
    this.#cache = cache;
    this.#trash = trash;
    this.#hashes = new HashStore(join(deps.paths.builder, "hashes"));
    this.#cacheMounts = new CacheMounts(join(deps.paths.builder, "mounts"));
  }

  /** Opens the cache; what an earlier daemon's builds left half done goes. */
  static async open(deps: BuilderDeps): Promise<Builder> {
    const { builder } = deps.paths;
    for (const name of ["work", "hashes", "mounts", "steps", "manifests", "empty"])
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
      remotes: new Remotes(),
      hashes: this.#hashes,
      running: this.#running,
    });
    return build.run(request, progress);
  }

  /** Removes results of steps that are not in use. */
  async prune(options: PruneOptions): Promise<Pruned> {
    const { images, workers } = this.#deps;
    return prune(
      { images, workers, cache: this.#cache, cacheMounts: this.#cacheMounts, trash: this.#trash },
      options,
    );
  }

  get cache(): StepCache {
    return this.#cache;
  }
}
