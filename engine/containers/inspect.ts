/** Containers in the shapes of Docker's API: GET /containers/{id}/json and GET /containers/json. */
import type { EndpointState, LiveAttachment } from "../networks/types.ts";
import type { Container } from "./container.ts";
import { logPath } from "./logs/settings.ts";
import { initLayer } from "./rootfs.ts";
import { networkFiles } from "./spec.ts";
import type { Tools } from "./tools.ts";
import { type ContainerConfig, type MountPoint, NEVER, type ResolvedMount } from "./types.ts";

/** @param execs ids of its running execs */
export function inspectContainer(tools: Tools, container: Container, execs: readonly string[]) {
  const { record } = container;
  const { state } = record;
  const files = networkFiles(tools, record.id);
  const started = state.startedAt !== NEVER;
  const fileOf = (path: string): string => (started ? (files[path] ?? "") : "");
  const directory = tools.paths.container(record.id);
  return {
    Id: record.id,
    Created: record.created,
    Path: record.path,
    Args: record.args,
    State: stateShape(container),
    Image: record.imageId,
    ResolvConfPath: fileOf("/etc/resolv.conf"),
    HostnamePath: fileOf("/etc/hostname"),
    HostsPath: fileOf("/etc/hosts"),
    // Docker shows the file of this driver alone.
    LogPath: started && record.hostConfig.LogConfig?.Type === "json-file" ? logPath(tools.paths, record) : "",
    Name: `/${record.name}`,
    RestartCount: state.restartCount,
    Driver: "overlay2",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: execs.length === 0 ? null : execs,
    HostConfig: record.hostConfig,
    GraphDriver: {
      Data: {
        LowerDir: [
          ...record.layers.toReversed().map((layer) => tools.paths.layer(layer)),
          initLayer(tools.paths),
        ].join(":"),
        MergedDir: "",
        UpperDir: `${directory}/upper`,
        WorkDir: `${directory}/work`,
      },
      Name: "overlay2",
    },
    Mounts: mountPoints(record.mounts),
    Config: configShape(record.config),
    NetworkSettings: networkShape(tools, container),
  };
}

function stateShape(container: Container) {
  const { state } = container.record;
  const { health } = state;
  return {
    Status: state.status,
    Running: container.isRunning,
    Paused: state.status === "paused",
    Restarting: state.status === "restarting",
    OOMKilled: state.oomKilled,
    Dead: state.status === "dead",
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(health === undefined
      ? {}
      : { Health: { Status: health.status, FailingStreak: health.failingStreak, Log: health.log } }),
  };
}

/** Inspect leaves `--tmpfs` to HostConfig, and shows no field of ours. */
export function mountPoints(mounts: readonly ResolvedMount[]): readonly MountPoint[] {
  return mounts
    .filter((mount) => !mount.unlisted)
    .map(({ Type, Name, Source, Destination, Driver, Mode, RW, Propagation }) => ({
      Type,
      ...(Name === undefined ? {} : { Name }),
      Source,
      Destination,
      ...(Driver === undefined ? {} : { Driver }),
      Mode,
      RW,
      Propagation,
    }));
}

/** Docker shows these with a value even where none was given. */
function configShape(config: ContainerConfig) {
  return { ...config, Env: config.Env ?? [], Labels: config.Labels ?? {} };
}

function networkShape(tools: Tools, container: Container) {
  const live = tools.networks.live(container.id);
  const networks = networksShape(tools, container, live);
  const bridge = networks["bridge"];
  return {
    Bridge: "",
    SandboxID: live?.sandboxId ?? "",
    SandboxKey: container.live === undefined ? "" : `/proc/${container.live.pid}/ns/net`,
    Ports: live?.ports ?? {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? "",
    Gateway: bridge?.Gateway ?? "",
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? "",
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? "",
    MacAddress: bridge?.MacAddress ?? "",
    Networks: networks,
  };
}

/** Live endpoints, or what was asked for where the container does not run. */
export function networksShape(
  tools: Tools,
  container: Container,
  live: LiveAttachment | undefined = tools.networks.live(container.id),
): Readonly<Record<string, EndpointState>> {
  if (live !== undefined) return live.endpoints;
  const { endpoints, hostConfig } = container.record;
  const mode = hostConfig.NetworkMode ?? "";
  const names = Object.keys(endpoints);
  if (names.length === 0 && (mode === "host" || mode === "none")) names.push(mode);
  return Object.fromEntries(
    names.map((name) => {
      const asked = endpoints[name] ?? {};
      return [
        name,
        {
          IPAMConfig: asked.IPAMConfig ?? null,
          Links: asked.Links ?? null,
          Aliases: asked.Aliases ?? null,
          MacAddress: asked.MacAddress ?? "",
          NetworkID: tools.networks.resolve(name)?.Id ?? "",
          EndpointID: "",
          Gateway: "",
          IPAddress: "",
          IPPrefixLen: 0,
          IPv6Gateway: "",
          GlobalIPv6Address: "",
          GlobalIPv6PrefixLen: 0,
          DriverOpts: asked.DriverOpts ?? null,
          DNSNames: null,
        },
      ];
    }),
  );
}
