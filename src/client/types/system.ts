/** The engine as a whole. */
import type Dockerode from "dockerode";
import type { Abortable, Filters } from "./common.ts";

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
        readonly Type?: string;
        readonly LastUsedAt?: string;
        readonly Description?: string;
      }[]
    | null;
  /** What pruning each kind frees, in bytes; only our engine says. */
  readonly Reclaimable?: Readonly<Record<"Images" | "Containers" | "Volumes" | "BuildCache", number>>;
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

export interface RegistryLogin {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress?: string;
}
