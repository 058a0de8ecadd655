/**
 * What a container is: the body of Docker's create call, kept as it came (inspect echoes it), and the record with
 * what the engine decided and saw. Names with a capital are the wire's own, so that no second vocabulary has to be
 * learnt or mapped.
 */

/** `Config` of the create body. Absent and null mean "as the image says". */
export interface ContainerConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly User?: string;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  /** Keys are `port/protocol`. */
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  /** `NAME=value`, or `NAME` alone to remove one that the image sets. */
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly ArgsEscaped?: boolean;
  readonly Image?: string;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly NetworkDisabled?: boolean;
  readonly MacAddress?: string;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  /** Seconds. */
  readonly StopTimeout?: number;
  readonly Shell?: readonly string[] | null;
  readonly Healthcheck?: HealthConfig | null;
}

/** Durations are nanoseconds; 0 and absent inherit from the image, then Docker's default. */
export interface HealthConfig {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly Retries?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
}

export interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

export interface RestartPolicy {
  readonly Name: "" | "no" | "always" | "unless-stopped" | "on-failure";
  readonly MaximumRetryCount?: number;
}

export interface MountRequest {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
    readonly ReadOnlyNonRecursive?: boolean;
    readonly ReadOnlyForceRecursive?: boolean;
  };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly Subpath?: string;
    readonly DriverConfig?: { readonly Name?: string; readonly Options?: Readonly<Record<string, string>> };
  };
  /** `Mode` is the plain number of chmod(2), `SizeBytes` 0 is unlimited. */
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number;
    readonly Mode?: number;
    readonly Options?: readonly (readonly string[])[];
  };
}

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions?: string;
}

export interface ThrottleDevice {
  readonly Path: string;
  readonly Rate: number;
}

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** The part of `HostConfig` that `docker update` may change. */
export interface Resources {
  readonly CpuShares?: number;
  /** Bytes. */
  readonly Memory?: number;
  readonly NanoCpus?: number;
  readonly CgroupParent?: string;
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly { readonly Path: string; readonly Weight: number }[] | null;
  readonly BlkioDeviceReadBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceReadIOps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteIOps?: readonly ThrottleDevice[] | null;
  /** Microseconds. */
  readonly CpuPeriod?: number;
  /** Microseconds in each period; 0 is unlimited. */
  readonly CpuQuota?: number;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly Devices?: readonly DeviceMapping[] | null;
  readonly DeviceCgroupRules?: readonly string[] | null;
  readonly DeviceRequests?: readonly unknown[] | null;
  readonly KernelMemory?: number;
  readonly MemoryReservation?: number;
  /** Memory and swap together, in bytes; -1 is unlimited swap. */
  readonly MemorySwap?: number;
  readonly MemorySwappiness?: number | null;
  readonly OomKillDisable?: boolean | null;
  readonly PidsLimit?: number | null;
  readonly Ulimits?: readonly Ulimit[] | null;
}

export interface HostConfig extends Resources {
  readonly Binds?: readonly string[] | null;
  readonly ContainerIDFile?: string;
  readonly LogConfig?: { readonly Type?: string; readonly Config?: Readonly<Record<string, string>> | null };
  readonly NetworkMode?: string;
  readonly PortBindings?: Readonly<Record<string, readonly PortBinding[] | null>> | null;
  readonly RestartPolicy?: RestartPolicy;
  readonly AutoRemove?: boolean;
  readonly VolumeDriver?: string;
  readonly VolumesFrom?: readonly string[] | null;
  readonly Mounts?: readonly MountRequest[] | null;
  /** [rows, columns]. */
  readonly ConsoleSize?: readonly [number, number];
  readonly Annotations?: Readonly<Record<string, string>> | null;
  readonly CapAdd?: readonly string[] | null;
  readonly CapDrop?: readonly string[] | null;
  readonly CgroupnsMode?: string;
  readonly Dns?: readonly string[] | null;
  readonly DnsOptions?: readonly string[] | null;
  readonly DnsSearch?: readonly string[] | null;
  readonly ExtraHosts?: readonly string[] | null;
  readonly GroupAdd?: readonly string[] | null;
  readonly IpcMode?: string;
  readonly Cgroup?: string;
  readonly Links?: readonly string[] | null;
  readonly OomScoreAdj?: number;
  readonly PidMode?: string;
  readonly Privileged?: boolean;
  readonly PublishAllPorts?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly SecurityOpt?: readonly string[] | null;
  readonly StorageOpt?: Readonly<Record<string, string>> | null;
  readonly Tmpfs?: Readonly<Record<string, string>> | null;
  readonly UTSMode?: string;
  readonly UsernsMode?: string;
  /** Bytes; 0 is Docker's 64 MiB. */
  readonly ShmSize?: number;
  readonly Sysctls?: Readonly<Record<string, string>> | null;
  readonly Runtime?: string;
  readonly Isolation?: string;
  /** Of Windows: always 0, and there for who reads Docker's shape. */
  readonly CpuCount?: number;
  readonly CpuPercent?: number;
  readonly IOMaximumIOps?: number;
  readonly IOMaximumBandwidth?: number;
  readonly Init?: boolean | null;
  readonly MaskedPaths?: readonly string[] | null;
  readonly ReadonlyPaths?: readonly string[] | null;
}

/** What a client asks of one network; the engine's answer is added by `networks`. */
export interface EndpointRequest {
  readonly IPAMConfig?: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[];
  } | null;
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly MacAddress?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
}

/** The body of POST /containers/create. */
export interface CreateRequest extends ContainerConfig {
  readonly HostConfig?: HostConfig | null;
  readonly NetworkingConfig?: {
    readonly EndpointsConfig?: Readonly<Record<string, EndpointRequest | null>> | null;
  } | null;
}

/** One mount as inspect lists it, in the order of mounting. */
export interface MountPoint {
  readonly Type: "bind" | "volume" | "tmpfs";
  /** Of a volume. */
  readonly Name?: string;
  /** On the host; empty for tmpfs. */
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  /** What stood after the second colon of a bind. */
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

/** A mount with what the launch needs beyond inspect's shape. */
export interface ResolvedMount extends MountPoint {
  /** The engine made this volume for this container; `rm -v` and `--rm` take it along. */
  readonly anonymous?: boolean;
  /** Fill an empty volume from the image's directory. */
  readonly copyUp?: boolean;
  readonly recursive?: boolean;
  /** Beneath the volume's root. */
  readonly subpath?: string;
  /** A bind source that may be made as a directory when it is absent (`-v`, not `--mount`). */
  readonly createSource?: boolean;
  /** mount(8) options of a tmpfs, comma-separated. */
  readonly options?: string;
  /** Of `--tmpfs`: inspect shows it in HostConfig alone. */
  readonly unlisted?: boolean;
}

export type Status = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** Times are RFC 3339 with nine digits in UTC; NEVER for those that have not been. */
export interface ContainerState {
  readonly status: Status;
  /** Of PID 1 of the container, in the engine's pid namespace; 0 when there is none. */
  readonly pid: number;
  /** Of the monitor. */
  readonly monitorPid: number;
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** A person stopped it: `unless-stopped` and a daemon start leave it alone. */
  readonly stoppedByUser: boolean;
  readonly health?: HealthState;
}

export interface HealthState {
  readonly status: "starting" | "healthy" | "unhealthy";
  readonly failingStreak: number;
  /** The newest five probes, oldest first. */
  readonly log: readonly HealthResult[];
}

export interface HealthResult {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  /** At most 4096 bytes. */
  readonly Output: string;
}

export interface ContainerRecord {
  readonly id: string;
  /** Without the slash that the wire puts before it. */
  readonly name: string;
  readonly created: string;
  /** `sha256:…` */
  readonly imageId: string;
  /** Diff ids of the image, bottom first, so that the container starts also when its image lost its name. */
  readonly layers: readonly string[];
  /** As asked for, with the image's values merged in. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
  readonly mounts: readonly ResolvedMount[];
  /** argv[0] and the rest. */
  readonly path: string;
  readonly args: readonly string[];
  readonly state: ContainerState;
}

/** The zero time of Go, which Docker's API shows for "never". */
export const NEVER = "0001-01-01T00:00:00Z";

/** One command in a root file system that the caller put together: a builder's RUN, a bootstrap's configure. */
export interface BuildStep {
  /** Absolute, top first, as overlayfs takes them. */
  readonly lowers: readonly string[];
  /** What the step writes; made by the caller, on the file system of the layers. */
  readonly upper: string;
  /** overlayfs' work directory: empty, on the same file system as `upper`. */
  readonly work: string;
  readonly argv: readonly string[];
  /** `NAME=value`; PATH and HOME are added where they are missing. */
  readonly env: readonly string[];
  /** Made if it is absent, as WORKDIR does. Default `/`. */
  readonly cwd?: string;
  /** As `--user`: name or number, with an optional group. Default root. */
  readonly user?: string;
  readonly hostname?: string;
  readonly mounts?: readonly StepMount[];
  /** Default `bridge`. */
  readonly network?: "bridge" | "host" | "none";
  /** `name:address`, as `--add-host`. */
  readonly hosts?: readonly string[];
  /** Bytes of /dev/shm. */
  readonly shmSize?: number;
  readonly ulimits?: readonly Ulimit[];
  readonly resources?: Resources;
  /** `insecure` is `RUN --security=insecure`: all capabilities, no seccomp. Default `sandbox`. */
  readonly security?: "sandbox" | "insecure";
  /** Bytes given to the step's stdin, which is empty otherwise. */
  readonly stdin?: Uint8Array;
  output(stream: "stdout" | "stderr", chunk: Uint8Array): void;
  /** Kills the step; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export type StepMount =
  | {
      readonly type: "bind";
      readonly source: string;
      /** What of the source is meant; no link in it leads out of the source, whoever changes it meanwhile. */
      readonly subpath?: string;
      /** Whether it is a directory, where that is known. */
      readonly directory?: boolean;
      readonly target: string;
      readonly readonly?: boolean;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly size?: number }
  /** A file of the given content that is nowhere in the layer: a secret. */
  | {
      readonly type: "file";
      readonly target: string;
      readonly content: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

export interface StepResult {
  /** 128 + n when a signal ended it. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/** What the builder and bootstrap use of this area. */
export interface StepRunner {
  /**
   * Runs the step to its end. Nothing is kept but what it wrote to `upper`.
   *
   * @throws {EngineError} invalid if the user is unknown or the program cannot be started (ENOENT, EACCES)
   */
  runStep(step: BuildStep): Promise<StepResult>;
}
