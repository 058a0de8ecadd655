/** A service and its parts, in the normalised form of `types.ts`. */

export interface Service {
  readonly name: string;
  readonly annotations?: StringMap;
  /** False: `up` shows no logs of it. Absent: true. */
  readonly attach?: boolean;
  readonly blkio_config?: BlkioConfig;
  readonly build?: Build;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly cgroup?: string;
  readonly cgroup_parent?: string;
  /** Absent: the image's. `[]`: none. */
  readonly command?: readonly string[];
  readonly configs?: readonly FileMount[];
  readonly container_name?: string;
  readonly cpu_count?: number;
  readonly cpu_percent?: number;
  readonly cpu_period?: string | number;
  readonly cpu_quota?: string | number;
  readonly cpu_rt_period?: string | number;
  readonly cpu_rt_runtime?: string | number;
  readonly cpu_shares?: number;
  /** Parts of one CPU, such as 0.5. */
  readonly cpus?: number;
  readonly cpuset?: string;
  readonly credential_spec?: { readonly config?: string; readonly file?: string; readonly registry?: string };
  /** Also what links, volumes_from and `service:` references imply. */
  readonly depends_on?: Readonly<Record<string, Dependency>>;
  readonly deploy?: Deploy;
  readonly develop?: { readonly watch?: readonly WatchRule[] };
  readonly device_cgroup_rules?: readonly string[];
  readonly devices?: readonly DeviceMapping[];
  readonly dns?: readonly string[];
  readonly dns_opt?: readonly string[];
  readonly dns_search?: readonly string[];
  readonly domainname?: string;
  /** As for `command`. */
  readonly entrypoint?: readonly string[];
  /** Files are read and variables filled in; null: known nowhere, to be left out of the container. */
  readonly environment?: Readonly<Record<string, string | null>>;
  /** Only with the environment step skipped; else it has gone into `environment`. */
  readonly env_file?: readonly EnvFile[];
  readonly expose?: readonly string[];
  /** Left only where the base is an empty service, as docker compose does. */
  readonly extends?: { readonly file?: string; readonly service: string };
  readonly external_links?: readonly string[];
  /** `name=address`. */
  readonly extra_hosts?: readonly string[];
  readonly gpus?: readonly DeviceRequest[];
  readonly group_add?: readonly string[];
  readonly healthcheck?: Healthcheck;
  readonly hostname?: string;
  readonly image?: string;
  readonly init?: boolean;
  readonly ipc?: string;
  readonly isolation?: string;
  readonly labels?: StringMap;
  readonly label_file?: readonly string[];
  readonly links?: readonly string[];
  readonly logging?: Logging;
  readonly mac_address?: string;
  readonly mem_limit?: string;
  readonly mem_reservation?: string;
  readonly mem_swappiness?: string | number;
  /** Bytes, or `-1`: no limit. */
  readonly memswap_limit?: string;
  readonly models?: Readonly<Record<string, ServiceModel>>;
  readonly network_mode?: string;
  /** By key of `project.networks`; absent with `network_mode`. */
  readonly networks?: Readonly<Record<string, ServiceNetwork>>;
  readonly oom_kill_disable?: boolean;
  readonly oom_score_adj?: number;
  readonly pid?: string;
  readonly pids_limit?: number;
  readonly platform?: string;
  readonly ports?: readonly Port[];
  readonly post_start?: readonly Hook[];
  readonly pre_start?: readonly Hook[];
  readonly pre_stop?: readonly Hook[];
  readonly privileged?: boolean;
  readonly profiles?: readonly string[];
  readonly provider?: {
    readonly type: string;
    readonly options?: Readonly<Record<string, readonly string[]>>;
  };
  /** always, never, missing, build, daily, weekly or every_<duration>. */
  readonly pull_policy?: string;
  readonly read_only?: boolean;
  readonly restart?: string;
  readonly runtime?: string;
  readonly scale?: number;
  readonly secrets?: readonly FileMount[];
  readonly security_opt?: readonly string[];
  readonly shm_size?: string;
  readonly stdin_open?: boolean;
  readonly stop_grace_period?: string;
  readonly stop_signal?: string;
  readonly storage_opt?: StringMap;
  readonly sysctls?: StringMap;
  readonly tmpfs?: readonly string[];
  readonly tty?: boolean;
  readonly ulimits?: Readonly<Record<string, Ulimit>>;
  readonly use_api_socket?: boolean;
  readonly user?: string;
  readonly userns_mode?: string;
  readonly uts?: string;
  readonly volumes?: readonly Mount[];
  readonly volumes_from?: readonly string[];
  readonly working_dir?: string;
}

export type StringMap = Readonly<Record<string, string>>;

/** One number for both limits, or the two. */
export type Ulimit = number | { readonly soft: number; readonly hard: number };

export interface Build {
  /** Absolute path, or a URL. */
  readonly context?: string;
  /** Relative to `context`; absent with `dockerfile_inline`. */
  readonly dockerfile?: string;
  readonly dockerfile_inline?: string;
  /** null: known nowhere, to be left out. */
  readonly args?: Readonly<Record<string, string | null>>;
  readonly additional_contexts?: StringMap;
  readonly cache_from?: readonly string[];
  readonly cache_to?: readonly string[];
  readonly entitlements?: readonly string[];
  readonly extra_hosts?: readonly string[];
  readonly isolation?: string;
  readonly labels?: StringMap;
  readonly network?: string;
  readonly no_cache?: boolean;
  readonly platforms?: readonly string[];
  readonly privileged?: boolean;
  readonly provenance?: string;
  readonly pull?: boolean;
  readonly sbom?: string;
  readonly secrets?: readonly FileMount[];
  readonly shm_size?: string;
  /** `ID` or `ID=PATH`. */
  readonly ssh?: readonly string[];
  readonly tags?: readonly string[];
  readonly target?: string;
  readonly ulimits?: Readonly<Record<string, Ulimit>>;
}

export interface Dependency {
  readonly condition: "service_started" | "service_healthy" | "service_completed_successfully";
  /** True: recreated together with the dependency. */
  readonly restart?: boolean;
  /** False: no failure when the dependency is not enabled. */
  readonly required: boolean;
}

export interface Healthcheck {
  /** Begins with CMD, CMD-SHELL or NONE. */
  readonly test?: readonly string[];
  readonly interval?: string;
  readonly timeout?: string;
  readonly retries?: number;
  readonly start_period?: string;
  readonly start_interval?: string;
  readonly disable?: boolean;
}

export interface Port {
  readonly name?: string;
  readonly mode?: string;
  readonly host_ip?: string;
  readonly target: number;
  /** A port or a range `A-B`; absent: the engine picks one. */
  readonly published?: string;
  readonly protocol?: string;
  readonly app_protocol?: string;
}

export type MountType = "bind" | "volume" | "tmpfs" | "image" | "npipe" | "cluster";

export interface Mount {
  readonly type: MountType;
  /** Absolute path of a bind, key of `project.volumes`, or an image; absent: an anonymous volume. */
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly consistency?: string;
  readonly bind?: {
    readonly propagation?: string;
    readonly create_host_path?: boolean;
    readonly recursive?: string;
    readonly selinux?: string;
  };
  readonly volume?: { readonly nocopy?: boolean; readonly subpath?: string; readonly labels?: StringMap };
  readonly tmpfs?: { readonly size?: string; readonly mode?: number };
  readonly image?: { readonly subpath?: string };
}

/** A secret or config given to a service or build. */
export interface FileMount {
  /** Key of `project.secrets` or `project.configs`. */
  readonly source: string;
  readonly target?: string;
  readonly uid?: string;
  readonly gid?: string;
  /** Octal digits, such as `0440`. */
  readonly mode?: string;
}

export interface ServiceNetwork {
  readonly aliases?: readonly string[];
  readonly driver_opts?: StringMap;
  readonly gw_priority?: number;
  readonly interface_name?: string;
  readonly ipv4_address?: string;
  readonly ipv6_address?: string;
  readonly link_local_ips?: readonly string[];
  readonly mac_address?: string;
  readonly priority?: number;
}

export interface EnvFile {
  readonly path: string;
  readonly required?: boolean;
  readonly format?: string;
}

export interface Logging {
  readonly driver?: string;
  readonly options?: StringMap;
}

export interface DeviceMapping {
  readonly source: string;
  readonly target?: string;
  readonly permissions?: string;
}

export interface DeviceRequest {
  readonly capabilities?: readonly string[];
  readonly driver?: string;
  /** -1: all. */
  readonly count?: number;
  readonly device_ids?: readonly string[];
  readonly options?: StringMap;
}

export interface Hook {
  readonly command?: readonly string[];
  readonly user?: string;
  readonly privileged?: boolean;
  readonly working_dir?: string;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly image?: string;
  readonly per_replica?: boolean;
}

export interface WatchRule {
  /** Absolute. */
  readonly path: string;
  readonly action: "rebuild" | "restart" | "sync" | "sync+restart" | "sync+exec";
  readonly target?: string;
  readonly ignore?: readonly string[];
  readonly include?: readonly string[];
  readonly exec?: Hook;
  readonly initial_sync?: boolean;
}

export interface BlkioConfig {
  readonly weight?: number;
  readonly weight_device?: readonly { readonly path: string; readonly weight: number }[];
  readonly device_read_bps?: readonly BlkioRate[];
  readonly device_read_iops?: readonly BlkioRate[];
  readonly device_write_bps?: readonly BlkioRate[];
  readonly device_write_iops?: readonly BlkioRate[];
}

export interface BlkioRate {
  readonly path: string;
  /** Decimal digits: bytes or operations a second. */
  readonly rate: string;
}

export interface Deploy {
  readonly mode?: string;
  readonly endpoint_mode?: string;
  readonly replicas?: number;
  readonly labels?: StringMap;
  readonly placement?: {
    readonly constraints?: readonly string[];
    readonly preferences?: readonly { readonly spread?: string }[];
    readonly max_replicas_per_node?: number;
  };
  readonly resources?: {
    readonly limits?: Resources;
    readonly reservations?: Resources;
  };
  readonly restart_policy?: {
    readonly condition?: string;
    readonly delay?: string;
    readonly max_attempts?: number;
    readonly window?: string;
  };
  readonly update_config?: UpdateConfig;
  readonly rollback_config?: UpdateConfig;
}

export interface Resources {
  readonly cpus?: number;
  readonly memory?: string;
  readonly pids?: number;
  readonly devices?: readonly DeviceRequest[];
  readonly generic_resources?: readonly {
    readonly discrete_resource_spec?: { readonly kind?: string; readonly value?: number };
  }[];
}

export interface UpdateConfig {
  readonly parallelism?: number;
  readonly delay?: string;
  readonly failure_action?: string;
  readonly monitor?: string;
  readonly max_failure_ratio?: number;
  readonly order?: "start-first" | "stop-first";
}

export interface ServiceModel {
  readonly endpoint_var?: string;
  readonly model_var?: string;
}
