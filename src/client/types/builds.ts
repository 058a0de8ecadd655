/** Builds and what they keep. */
import type { Readable } from "node:stream";
import type Dockerode from "dockerode";
import type { Abortable, Filters, ProgressMessage } from "./common.ts";

export interface BuildCalls {
  /**
   * Builds an image. A `directory` needs the feature `build` and is read by the engine itself; else give a tar.
   *
   * @returns its id
   * @throws {AppError} BUILD_FAILED
   */
  buildImage(options: BuildOptions): Promise<string>;
  pruneBuilds(options?: {
    readonly all?: boolean;
    readonly filters?: Filters;
    readonly keepBytes?: number;
  }): Promise<Dockerode.PruneBuilderInfo>;
  /** The directories of `RUN --mount=type=cache`; only our engine has these three calls. */
  listCacheMounts(): Promise<readonly CacheMount[]>;
  /** @throws {EngineFailure} status 404, if there is none of that id */
  exportCacheMount(id: string): Promise<Readable>;
  importCacheMount(id: string, tar: Readable): Promise<void>;
}

export interface CacheMount {
  readonly ID: string; // as the Dockerfile names it, or its target
  readonly Size: number; // bytes
  readonly InUse: boolean;
}

export interface BuildOptions extends Abortable {
  /** A tar of the context; or, for our engine, an absolute directory of its machine, a git URL, or a Dockerfile alone. */
  readonly context:
    | { readonly tar: Readable }
    | { readonly directory: string }
    | { readonly remote?: string };
  /** Within the context (tar), or absolute (directory). */
  readonly dockerfile?: string;
  /** The Dockerfile's text, where it is no file. */
  readonly dockerfileInline?: string;
  readonly tags?: readonly string[];
  readonly target?: string;
  readonly platform?: string;
  readonly args?: Readonly<Record<string, string | null>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly cacheFrom?: readonly string[];
  /** Logins with registries, as `auths` of docker's config.json. */
  readonly logins?: Readonly<Record<string, object>>;
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly network?: string;
  /** `name:address` each. */
  readonly extraHosts?: readonly string[];
  /** Bytes of /dev/shm. */
  readonly shmSize?: number;
  /** What the Dockerfile's `RUN --mount=type=secret` may read; only with a directory context. */
  readonly secrets?: readonly { readonly id: string; readonly file?: string; readonly value?: string }[];
  /** Named contexts; only with a directory context. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** More fields of the build request, for what is not named here. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly onProgress?: (message: ProgressMessage) => void;
}
