import { type Check, checkMachine, thisMachine } from "../../check.ts";
import type { Host } from "../../host.ts";
import type { RegistrySettings } from "../../images/registry/settings.ts";
import { proxies, registryConfig } from "../registry-config.ts";
import type { Route } from "../router.ts";
import { API_VERSION, MIN_API_VERSION } from "../version.ts";

/** What the engine says about itself; main.ts puts it together. */
export interface About {
  /** Slipway's own version. */
  readonly version: string;
  /** Of this data root, for ever. */
  readonly id: string;
  readonly host: Host;
  readonly dataRoot: string;
  /** Where the log goes; absent: stderr. */
  readonly logFile: string | undefined;
  readonly debug: boolean;
  /** It runs in a user namespace of an ordinary user. */
  readonly rootless: boolean;
  /** Containers have cgroups. */
  readonly limits: boolean;
  readonly registries: RegistrySettings;
  /** What is served beneath `/slipway/v1`, by name. */
  readonly features: readonly string[];
  counts(): {
    readonly running: number;
    readonly paused: number;
    readonly stopped: number;
    readonly images: number;
  };
  listeners(): number;
  checkNetworks(): Promise<readonly Check[]>;
}

/** `/_ping`, `/version` and `/info`; `/slipway/v1/check` says whether the machine is fit. */
export function systemRoutes(about: About): Route[] {
  const ping: Omit<Route, "method"> = {
    path: "/_ping",
    async handle(_request, reply) {
      reply.header("Builder-Version", "1");
      reply.header("Swarm", "inactive");
      reply.header("Cache-Control", "no-cache, no-store, must-revalidate");
      reply.header("Pragma", "no-cache");
      reply.text(200, "OK");
    },
  };
  return [
    { ...ping, method: "GET" },
    { ...ping, method: "HEAD" },
    {
      method: "GET",
      path: "/version",
      async handle(_request, reply) {
        reply.json(200, version(about));
      },
    },
    {
      method: "GET",
      path: "/info",
      async handle(_request, reply) {
        reply.json(200, info(about));
      },
    },
    {
      method: "GET",
      path: "/slipway/v1/check",
      async handle(_request, reply) {
        const checks = [...checkMachine(thisMachine, about), ...(await about.checkNetworks())];
        reply.json(200, { checks });
      },
    },
  ];
}

/** Old clients read the fields at the top, newer ones `Components`; so does our own client, for `Slipway`. */
export function version(about: About) {
  const common = {
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: "",
    GoVersion: "",
    Os: "linux",
    Arch: about.host.architecture,
    KernelVersion: about.host.kernel,
    BuildTime: "",
  };
  return {
    Platform: { Name: "Slipway" },
    Components: [
      { Name: "Engine", Version: about.version, Details: { ...common, Experimental: "false" } },
      {
        Name: "Slipway",
        Version: about.version,
        Details: {
          Api: "v1",
          DataRoot: about.dataRoot,
          Features: about.features.join(","),
          Log: about.logFile ?? "stderr",
          NetworkNamespace: about.host.networkNamespace,
          Node: process.version,
          Pid: String(process.pid),
        },
      },
    ],
    Version: about.version,
    ...common,
  };
}

/** Every key that dockerd 26 sends: clients index into them without looking. */
function info(about: About) {
  const { host } = about;
  const counts = about.counts();
  return {
    ID: about.id,
    Containers: counts.running + counts.paused + counts.stopped,
    ContainersRunning: counts.running,
    ContainersPaused: counts.paused,
    ContainersStopped: counts.stopped,
    Images: counts.images,
    Driver: "overlay2",
    DriverStatus: [
      ["Supports d_type", "true"],
      ["Native Overlay Diff", "true"],
    ],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "null"],
      Authorization: null,
      Log: ["json-file", "local", "none"],
    },
    MemoryLimit: about.limits,
    SwapLimit: about.limits,
    KernelMemoryTCP: host.cgroupVersion === "1",
    CpuCfsPeriod: about.limits,
    CpuCfsQuota: about.limits,
    CPUShares: about.limits,
    CPUSet: about.limits,
    PidsLimit: about.limits,
    IPv4Forwarding: true,
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    Debug: about.debug,
    NFd: 0,
    OomKillDisable: host.cgroupVersion === "1",
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: about.limits ? "cgroupfs" : "none",
    CgroupVersion: host.cgroupVersion,
    NEventsListener: about.listeners(),
    KernelVersion: host.kernel,
    OperatingSystem: host.system,
    OSVersion: host.systemVersion,
    OSType: "linux",
    Architecture: host.machine,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registryConfig(about.registries),
    NCPU: host.cpus,
    MemTotal: host.memory,
    GenericResources: null,
    DockerRootDir: about.dataRoot,
    ...proxies(process.env),
    Name: host.name,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: about.version,
    Runtimes: { slipway: { path: "slipway-native" } },
    DefaultRuntime: "slipway",
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "slipway-native",
    ContainerdCommit: { ID: "", Expected: "" },
    RuncCommit: { ID: "", Expected: "" },
    InitCommit: { ID: "", Expected: "" },
    SecurityOptions: [
      "name=seccomp,profile=builtin",
      ...(about.rootless ? ["name=rootless"] : []),
      ...(host.cgroupVersion === "2" ? ["name=cgroupns"] : []),
    ],
    CDISpecDirs: [],
    Warnings: about.limits ? null : [NO_LIMITS],
  };
}

const NO_LIMITS =
  "WARNING: Running in rootless-mode without cgroups: limits have no effect. They need cgroup v2 and a cgroup of the user's, as systemd-run --user --scope -p Delegate=yes gives.";
