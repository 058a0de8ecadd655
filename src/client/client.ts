/**
 * The only door to the engine: the Docker Engine API in typed calls, one interface a resource. It works against our
 * daemon and against Docker's; what only ours can do goes over `/slipway/v1` where `slipwayFeatures` says so.
 * Tests put fakes of these interfaces in its place.
 */

import type { Duplex, Readable } from "node:stream";
import type Dockerode from "dockerode";

/** Values of one filter are alternatives, except `label`, whose values must all hold. */
export type Filters = Readonly<Record<string, readonly string[]>>;

export interface EngineClient
  extends SystemCalls,
    ContainerCalls,
    StreamCalls,
    ExecCalls,
    FileCalls,
    ImageCalls,
    BuildCalls,
    NetworkCalls,
    VolumeCalls {
  /** Where the engine answers: `unix:///run/slipway/slipway.sock`. */
  readonly address: string;
  /** Lets go of idle connections, so that the process can end. */
  close(): void;
}

/** Ends the request when it is aborted; the call then rejects with AppError INTERRUPTED. */
export interface Abortable {
  readonly signal?: AbortSignal;
}

export interface SystemCalls {
  ping(): Promise<void>;
  version(): Promise<EngineVersion>;
  info(): Promise<EngineInfo>;
  diskUsage(): Promise<DiskUsage>;
  /** Tries a login with a registry. Throws where it is refused. */
  auth(login: RegistryLogin): Promise<{ readonly Status: string; readonly IdentityToken?: string }>;
  /** Every event from `since` on, else from the moment the promise resolves: the engine has subscribed by then. */
  events(options?: EventsOptions): Promise<AsyncIterable<EngineEvent>>;
  /** Names of what is served beneath `/slipway/v1`; empty against another engine. */
  slipwayFeatures(): Promise<ReadonlySet<string>>;
  /** A GET beneath `/slipway/v1`, which answers with JSON. */
  slipwayGet<T>(path: string): Promise<T>;
  /** A POST there without a body. */
  slipwayPost<T>(path: string): Promise<T>;
}

export interface ContainerCalls {
  listContainers(options?: ListContainersOptions): Promise<Dockerode.ContainerInfo[]>;
  /** @throws {EngineFailure} status 404, if there is none */
  inspectContainer(id: string, options?: { readonly size?: boolean }): Promise<ContainerInspect>;
  createContainer(
    options: CreateContainerOptions,
  ): Promise<{ readonly Id: string; readonly Warnings: string[] }>;
  /** Nothing happens where it already runs. */
  startContainer(id: string, options?: { readonly detachKeys?: string }): Promise<void>;
  /** Nothing happens where it does not run. `timeout` is in seconds; -1 waits for ever. */
  stopContainer(id: string, options?: StopOptions): Promise<void>;
  restartContainer(id: string, options?: StopOptions): Promise<void>;
  killContainer(id: string, options?: { readonly signal?: string }): Promise<void>;
  pauseContainer(id: string): Promise<void>;
  unpauseContainer(id: string): Promise<void>;
  renameContainer(id: string, name: string): Promise<void>;
  updateContainer(id: string, change: object): Promise<{ readonly Warnings: string[] | null }>;
  removeContainer(id: string, options?: RemoveContainerOptions): Promise<void>;
  /** Resolves when the container has come to that state. */
  waitContainer(id: string, options?: WaitOptions): Promise<WaitResult>;
  /** Sends the request, and resolves once the engine watches: then a start cannot be missed. */
  beginWait(id: string, options?: WaitOptions): Promise<{ readonly result: Promise<WaitResult> }>;
  resizeContainer(id: string, size: TerminalSize): Promise<void>;
  topContainer(
    id: string,
    psArgs?: string,
  ): Promise<{ readonly Titles: string[]; readonly Processes: string[][] }>;
  containerChanges(id: string): Promise<{ readonly Path: string; readonly Kind: 0 | 1 | 2 }[]>;
  /** One sample a second until `signal`; one sample only, if `stream` is false. */
  stats(
    id: string,
    options?: Abortable & { readonly stream?: boolean },
  ): AsyncIterable<Dockerode.ContainerStats>;
  commitContainer(id: string, options: CommitOptions): Promise<{ readonly Id: string }>;
  pruneContainers(filters?: Filters): Promise<Dockerode.PruneContainersInfo>;
}

export interface StreamCalls {
  /** What was logged, and with `follow` what will be, until the container stops or `signal`. Ends quietly on abort. */
  logs(id: string, options?: LogsOptions): AsyncIterable<OutputChunk>;
  /** May be called before the container is started. */
  attach(id: string, options: AttachOptions): Promise<Attachment>;
}

export interface ExecCalls {
  createExec(id: string, options: Dockerode.ExecCreateOptions): Promise<string>;
  /** Runs it, with its streams attached. `tty` must be what `createExec` was told. */
  startExec(
    execId: string,
    options: { readonly tty: boolean; readonly size?: TerminalSize },
  ): Promise<Attachment>;
  startExecDetached(execId: string): Promise<void>;
  inspectExec(execId: string): Promise<Dockerode.ExecInspectInfo>;
  resizeExec(execId: string, size: TerminalSize): Promise<void>;
}

export interface FileCalls {
  /** Unpacks a tar into a directory of the container. */
  putArchive(id: string, path: string, tar: Readable | Buffer, options?: PutArchiveOptions): Promise<void>;
  /** A path of the container as a tar, with what it is. */
  getArchive(id: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: Readable }>;
  statPath(id: string, path: string): Promise<PathStat>;
  exportContainer(id: string): Promise<Readable>;
}

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
  /** Repositories of a registry: of Docker Hub, or of the host that `term` begins with. */
  searchImages(term: string, limit: number): Promise<SearchedImage[]>;
  /** Serves the engine's store as a registry until `signal`; only where `slipwayFeatures` has `registry`. */
  serveRegistry(options: ServeRegistryOptions): Promise<void>;
  /** Makes a base image from the machine's own packages; only where `slipwayFeatures` has `bootstrap`. */
  bootstrapImage(
    reference: string,
    options?: BootstrapOptions,
  ): Promise<{ readonly imageId: string; readonly fresh: boolean }>;
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

export interface NetworkCalls {
  listNetworks(filters?: Filters): Promise<Dockerode.NetworkInspectInfo[]>;
  /** @throws {EngineFailure} status 404, if there is none */
  inspectNetwork(id: string): Promise<Dockerode.NetworkInspectInfo>;
  createNetwork(
    options: Dockerode.NetworkCreateOptions,
  ): Promise<{ readonly Id: string; readonly Warning: string }>;
  removeNetwork(id: string): Promise<void>;
  connectNetwork(id: string, options: Dockerode.NetworkConnectOptions): Promise<void>;
  disconnectNetwork(
    id: string,
    options: { readonly Container: string; readonly Force?: boolean },
  ): Promise<void>;
  pruneNetworks(filters?: Filters): Promise<Dockerode.PruneNetworksInfo>;
}

export interface VolumeCalls {
  listVolumes(filters?: Filters): Promise<Dockerode.VolumeInspectInfo[]>;
  /** @throws {EngineFailure} status 404, if there is none */
  inspectVolume(name: string): Promise<Dockerode.VolumeInspectInfo>;
  createVolume(options: Dockerode.VolumeCreateOptions): Promise<Dockerode.VolumeCreateResponse>;
  removeVolume(name: string, options?: { readonly force?: boolean }): Promise<void>;
  pruneVolumes(filters?: Filters): Promise<Dockerode.PruneVolumesInfo>;
}

/** As on the wire: `BuildTime` is text there, whatever dockerode's types say. */
export interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
  readonly Platform?: { readonly Name: string };
  readonly Components?: readonly EngineComponent[];
}

export interface EngineComponent {
  readonly Name: string;
  readonly Version: string;
  readonly Details?: Readonly<Record<string, string>>;
}

/** The parts of `GET /info` that are read here; the rest is there for printing. */
export interface EngineInfo {
  readonly ID: string;
  readonly Name: string;
  readonly ServerVersion: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Swarm?: { readonly LocalNodeState: string };
  readonly [field: string]: unknown;
}

export interface DiskUsage {
  readonly LayersSize: number;
  readonly Images: readonly Dockerode.ImageInfo[] | null;
  readonly Containers: readonly (Dockerode.ContainerInfo & { readonly SizeRw?: number })[] | null;
  readonly Volumes: readonly Dockerode.VolumeInspectInfo[] | null;
  readonly BuildCache:
    | readonly {
        readonly ID: string;
        readonly Size: number;
        readonly InUse: boolean;
        readonly LastUsedAt?: string;
        readonly Description?: string;
      }[]
    | null;
}

export interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  /** Seconds since 1970. */
  readonly time: number;
  /** Nanoseconds since 1970, as exact as a number can be. */
  readonly timeNano: number;
}

export interface EventsOptions extends Abortable {
  /** Seconds since 1970. */
  readonly since?: number;
  readonly until?: number;
  readonly filters?: Filters;
}

export interface ListContainersOptions {
  readonly all?: boolean;
  readonly limit?: number;
  readonly size?: boolean;
  readonly filters?: Filters;
}

/** dockerode's type lacks what newer engines answer. */
export type ContainerInspect = Dockerode.ContainerInspectInfo & {
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
};

export type ImageInspect = Dockerode.ImageInspectInfo;

export interface ImageLayer {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

export type CreateContainerOptions = Dockerode.ContainerCreateOptions;

export interface StopOptions {
  /** Seconds until SIGKILL; -1 waits for ever; absent: the container's own, else 10. */
  readonly timeout?: number;
  readonly signal?: string;
}

export interface RemoveContainerOptions {
  readonly force?: boolean;
  /** Its anonymous volumes too. */
  readonly volumes?: boolean;
}

export interface WaitOptions extends Abortable {
  readonly condition?: "not-running" | "next-exit" | "removed";
}

export interface WaitResult {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface CommitOptions {
  readonly repo?: string;
  readonly tag?: string;
  readonly comment?: string;
  readonly author?: string;
  readonly changes?: readonly string[];
  readonly pause?: boolean;
}

export interface LogsOptions extends Abortable {
  readonly follow?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** Seconds since 1970 (with a fraction), as text or number. */
  readonly since?: string | number;
  readonly until?: string | number;
  readonly timestamps?: boolean;
  /** A number of lines; absent means all. */
  readonly tail?: number | "all";
  /** Whether the container has a terminal; asked of the engine where absent. */
  readonly tty?: boolean;
}

export interface OutputChunk {
  /** A terminal has only `stdout`. */
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** What was logged before comes first. */
  readonly logs?: boolean;
  /** Whether the container has a terminal: then the output is not framed. */
  readonly tty: boolean;
  readonly detachKeys?: string;
}

/** The streams of a container or an exec. */
export interface Attachment {
  /** Bytes both ways: what is written is its input; `end()` closes that and leaves the output open. */
  readonly connection: Duplex;
  /** The output, taken apart; to be iterated once. Ends when the process does. */
  readonly output: AsyncIterable<OutputChunk>;
}

export interface PutArchiveOptions {
  readonly noOverwriteDirNonDir?: boolean;
  readonly copyUidGid?: boolean;
}

export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's FileMode: permission bits below, kinds above (directory 1<<31, symlink 1<<27). */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

export interface RegistryLogin {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress?: string;
}

export interface PullOptions extends Abortable {
  readonly platform?: string;
  readonly login?: RegistryLogin;
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
  readonly onProgress?: (message: ProgressMessage) => void;
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

/** One line of a build, pull or push. Which fields there are depends on what it says. */
export interface ProgressMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly errorDetail?: {
    readonly code?: number;
    readonly message?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}
