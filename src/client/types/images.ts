/** Images, and the registries they come from. */
import type { Readable } from "node:stream";
import type Dockerode from "dockerode";
import type { Abortable, Filters, ProgressMessage } from "./common.ts";
import type { RegistryLogin } from "./system.ts";

export interface ImageCalls {
  listImages(options?: {
    readonly all?: boolean;
    readonly filters?: Filters;
  }): Promise<Dockerode.ImageInfo[]>;
  /** @throws {EngineFailure} status 404, if there is none */
  inspectImage(name: string): Promise<ImageInspect>;
  imageHistory(name: string): Promise<ImageLayer[]>;
  /** @throws {AppError} IMAGE_PULL, if it cannot be had */
  pullImage(reference: string, options?: PullOptions): Promise<void>;
  /** @throws {AppError} IMAGE_PULL, if it is refused */
  pushImage(reference: string, options?: PullOptions): Promise<void>;
  tagImage(name: string, reference: string): Promise<void>;
  removeImage(
    name: string,
    options?: { readonly force?: boolean; readonly noprune?: boolean },
  ): Promise<Dockerode.ImageRemoveInfo[]>;
  pruneImages(filters?: Filters): Promise<Dockerode.PruneImagesInfo>;
  /** Makes an image of a file system's tar. */
  importImage(tar: Readable | Buffer, options: ImportOptions): Promise<void>;
  loadImages(tar: Readable | Buffer, onProgress?: (message: ProgressMessage) => void): Promise<void>;
  saveImages(names: readonly string[]): Promise<Readable>;
  /**
   * What a registry has under a name, without pulling it.
   *
   * @throws {AppError} IMAGE_PULL, if it has nothing or does not answer
   */
  describeRemote(reference: string, login?: RegistryLogin): Promise<RemoteDescription>;
  /** Repositories of a registry: of Docker Hub, or of the host that `term` begins with. */
  searchImages(term: string, limit: number): Promise<SearchedImage[]>;
  /** Serves the engine's store as a registry until `signal`; only where `slipwayFeatures` has `registry`. */
  serveRegistry(options: ServeRegistryOptions): Promise<void>;
  /**
   * Gets an image from a directory, an archive or the machine's packages, which the engine reads itself; only where
   * `slipwayFeatures` has `take`.
   *
   * @throws {AppError} IMAGE_PULL, if it cannot be had
   */
  takeImage(
    reference: string,
    source: string,
    options?: Pick<PullOptions, "signal" | "onProgress">,
  ): Promise<{ readonly imageId: string; readonly fresh: boolean }>;
  /** Makes a base image from the machine's own packages; only where `slipwayFeatures` has `bootstrap`. */
  bootstrapImage(
    reference: string,
    options?: BootstrapOptions,
  ): Promise<{ readonly imageId: string; readonly fresh: boolean }>;
}

/** @see Engine API, `GET /distribution/{name}/json` */
export interface RemoteDescription {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

export interface SearchedImage {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

export interface ServeRegistryOptions extends Abortable {
  readonly host: string;
  readonly port: number;
  readonly htpasswd?: string; // the file's text
  readonly tls?: { readonly cert: string; readonly key: string }; // PEM
  readonly readonly?: boolean;
  /** What it listens on, then a line for each request. */
  onProgress?(message: ProgressMessage): void;
}

export type ImageInspect = Dockerode.ImageInspectInfo;

export interface ImageLayer {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

export interface PullOptions extends Abortable {
  readonly platform?: string;
  readonly login?: RegistryLogin;
  /** Every tag of a name that has none; otherwise it means `latest`. */
  readonly allTags?: boolean;
  readonly onProgress?: (message: ProgressMessage) => void;
}

export interface ImportOptions {
  readonly reference?: string;
  readonly message?: string;
  /** Dockerfile instructions, such as `CMD ["sh"]`. */
  readonly changes?: readonly string[];
}

export interface BootstrapOptions extends Abortable {
  /** More Debian packages to install. */
  readonly include?: readonly string[];
  readonly variant?: string;
  /** Debian's name of the release, where the image's name does not say it. */
  readonly suite?: string;
  readonly onProgress?: (message: ProgressMessage) => void;
}
