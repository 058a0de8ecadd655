/** An image's configuration as OCI and Docker write it; fields not named here are kept as they came. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly created?: string; // RFC 3339
  readonly author?: string;
  readonly comment?: string;
  readonly config?: RunConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly string[] };
  readonly history?: readonly HistoryEntry[];
}

/** How a container of the image is run by default. */
export interface RunConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Healthcheck?: Healthcheck;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly OnBuild?: readonly string[] | null;
  readonly StopSignal?: string;
  readonly StopTimeout?: number; // seconds
  readonly Shell?: readonly string[];
  readonly ArgsEscaped?: boolean;
}

/** Times are nanoseconds, 0 or absent: the default. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** An image in the store, with the names it has at this moment. */
export interface Image {
  readonly id: string; // "sha256:…": the digest of the configuration's bytes
  readonly config: ImageConfig;
  readonly layers: readonly string[]; // diffIds, bottom first
  readonly size: number; // bytes of all layers, unpacked
  readonly created: string; // RFC 3339; "" when the image does not say
  readonly repoTags: readonly string[]; // familiar form, "busybox:latest"
  readonly repoDigests: readonly string[]; // "busybox@sha256:…"
  readonly lastTagged: string; // RFC 3339; "" when it never had a name
  readonly parent: string; // id of the image it was built or committed from here; "" when unknown
}

/** A layer that is in the store. */
export interface Layer {
  readonly diffId: string; // "sha256:…": digest of the layer as an uncompressed tar
  readonly size: number; // bytes of the regular files in it
}

/** One line of a progress stream, in Docker's terms (the API sends it as it is). */
export interface ProgressMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
  readonly stream?: string;
  readonly aux?: object;
}

export type Progress = (message: ProgressMessage) => void;

export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly serveraddress?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}
