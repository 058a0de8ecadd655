/** From a container's record to what is launched: where Docker's options become namespaces, mounts and limits. */
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import type { NamespaceKind, Propagation } from "../native/protocol.ts";
import type { Attachment } from "../networks/types.ts";
import { containerCapabilities } from "./capabilities.ts";
import { limitWrites } from "./cgroups/limits.ts";
import { checkedParent } from "./cgroups/parent.ts";
import type { Container } from "./container.ts";
import { networkSysctls } from "./defaults.ts";
import { containerDevices, throttleNumbers } from "./devices.ts";
import { containerEnvironment, withHome } from "./environment.ts";
import type { Host } from "./host.ts";
import { nextNumber } from "./logs/files.ts";
import { logAttributes, logPath, logSettings } from "./logs/settings.ts";
import { engineFile, type ProcessSpec, type Spec, type SpecMount } from "./operations.ts";
import { rlimits } from "./rlimits.ts";
import { initLayer } from "./rootfs.ts";
import { parseSecurity } from "./security.ts";
import { shmOf } from "./shm.ts";
import { tmpfsOptions } from "./tmpfs.ts";
import type { Tools } from "./tools.ts";
import type { ContainerRecord, ResolvedMount } from "./types.ts";
import { resolveUser } from "./users.ts";

/**
 * @param network absent for a container that shares another's
 * @param volumes the directories of the volumes, by name
 */
export async function containerSpec(
  tools: Tools,
  container: Container,
  network: Attachment | undefined,
  volumes: ReadonlyMap<string, string>,
): Promise<Spec> {
  const { record } = container;
  const { config, hostConfig } = record;
  const { paths, host } = tools;
  const directory = paths.container(record.id);
  const devices = await containerDevices(hostConfig);
  const security = parseSecurity(hostConfig);
  const namespaces = sharing(tools, record, network);
  const workingDir = config.WorkingDir || "/";
  return {
    runDir: paths.runContainer(record.id),
    stateDir: directory,
    tty: config.Tty ?? false,
    openStdin: config.OpenStdin ?? false,
    stdinOnce: config.StdinOnce ?? false,
    log: await specLog(tools, record),
    cgroup: {
      tree: host.cgroups,
      path: cgroupPath(host, record),
      limits: limitWrites(host.cgroups, hostConfig, await throttleNumbers(hostConfig)),
      devices: devices.rules,
    },
    ...namespaces,
    network: network?.ops ?? [],
    hostFiles: network === undefined ? [] : fileContents(tools, record.id, network),
    root: {
      lowers: [...record.layers.toReversed().map((layer) => paths.layer(layer)), initLayer(paths)],
      upper: join(directory, "upper"),
      work: join(directory, "work"),
      readonly: hostConfig.ReadonlyRootfs ?? false,
    },
    hostname: config.Hostname ?? "",
    domainname: config.Domainname ?? "",
    privileged: hostConfig.Privileged ?? false,
    shm: shmOf(tools, record),
    nodes: devices.nodes,
    mounts: [
      ...record.mounts.map((mount) => specMount(mount, volumes)),
      ...engineFiles(tools, record, network),
    ],
    files: [],
    directories: workingDir === "/" ? [] : [workingDir],
    masked: security.masked.length === 0 ? [] : [...security.masked, ...host.sidechannelPaths],
    readonlyPaths: security.readonlyPaths,
    sysctls: {
      ...(namespaces.namespaces.includes("net") ? networkSysctls() : {}),
      ...hostConfig.Sysctls,
    },
  };
}

/** What the container's own program, or one that is run beside it, gets by default. */
export function containerProcess(
  tools: Tools,
  record: ContainerRecord,
  files: { readonly passwd: Uint8Array; readonly group: Uint8Array },
): ProcessSpec {
  const { config, hostConfig } = record;
  const security = parseSecurity(hostConfig);
  const capabilities = containerCapabilities({
    privileged: hostConfig.Privileged ?? false,
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    available: tools.host.capabilities,
  });
  const user = resolveUser(config.User ?? "", files.passwd, files.group, hostConfig.GroupAdd ?? []);
  const known = { hostname: config.Hostname ?? "", tty: config.Tty ?? false };
  return {
    argv: [record.path, ...record.args],
    env: withHome(containerEnvironment(config.Env ?? [], known), user.home),
    cwd: config.WorkingDir || "/",
    user,
    capabilities,
    seccomp: tools.filters.get(security.seccomp, capabilities),
    noNewPrivileges: security.noNewPrivileges,
    rlimits: rlimits(hostConfig.Ulimits ?? []),
    oomScoreAdj: hostConfig.OomScoreAdj || undefined,
    terminal: undefined,
    init: hostConfig.Init ?? false,
    keyring: `_ses.${record.id}`,
  };
}

async function specLog(tools: Tools, record: ContainerRecord): Promise<Spec["log"]> {
  const settings = logSettings(record.hostConfig);
  if (settings === undefined) return undefined;
  const { driver, maxSize, maxFiles, compress } = settings;
  const path = logPath(tools.paths, record);
  const attributes = driver === "json-file" ? logAttributes(record) : {};
  return {
    path,
    maxSize,
    maxFiles,
    binary: driver === "local",
    next: compress ? await nextNumber(path) : 0,
    attrs: Object.keys(attributes).length === 0 ? "" : JSON.stringify(attributes),
  };
}

/** Relative to the root of the cgroup tree. */
export function cgroupPath(host: Host, record: ContainerRecord): string {
  const { CgroupParent } = record.hostConfig;
  return `${CgroupParent ? checkedParent(CgroupParent) : host.cgroupParent}/${record.id}`;
}

/** The container's /etc/hosts, /etc/resolv.conf and /etc/hostname on the host. */
export function networkFiles(tools: Pick<Tools, "paths">, id: string): Readonly<Record<string, string>> {
  const directory = tools.paths.container(id);
  return {
    "/etc/hosts": join(directory, "hosts"),
    "/etc/resolv.conf": join(directory, "resolv.conf"),
    "/etc/hostname": join(directory, "hostname"),
  };
}

/** What those files say, for a container with a network of its own. */
function fileContents(tools: Tools, id: string, network: Attachment): Spec["hostFiles"] {
  const contents: Readonly<Record<string, string>> = {
    "/etc/hosts": network.hosts,
    "/etc/resolv.conf": network.resolvConf,
    "/etc/hostname": network.hostnameFile,
  };
  return Object.entries(networkFiles(tools, id)).map(([target, path]) => ({
    path,
    content: contents[target] ?? "",
  }));
}

/** The container whose network this one shares, if it does. */
export function networkOwner(tools: Tools, record: ContainerRecord): Container | undefined {
  const mode = record.hostConfig.NetworkMode ?? "";
  return mode.startsWith("container:") ? tools.registry.find(mode.slice("container:".length)) : undefined;
}

function sharing(
  tools: Tools,
  record: ContainerRecord,
  network: Attachment | undefined,
): Pick<Spec, "namespaces" | "joins"> {
  const { PidMode = "", IpcMode = "", UTSMode = "", CgroupnsMode = "", NetworkMode = "" } = record.hostConfig;
  const namespaces: NamespaceKind[] = ["mount"];
  const joins: { kind: NamespaceKind; path: string }[] = [];
  const choose = (kind: NamespaceKind, mode: string): void => {
    if (mode.startsWith("container:")) {
      const other = tools.registry.find(mode.slice("container:".length));
      if (other.live === undefined) {
        const reason = `failed to join ${kind.toUpperCase()} namespace: container ${other.id} is not running`;
        throw new EngineError("conflict", reason);
      }
      joins.push({ kind, path: `/proc/${other.live.pid}/ns/${kind}` });
    } else if (mode !== "host") namespaces.push(kind);
  };
  choose("pid", PidMode);
  choose("ipc", IpcMode);
  choose("uts", UTSMode);
  choose("cgroup", CgroupnsMode);
  choose("net", network?.hostNamespace ? "host" : NetworkMode.startsWith("container:") ? NetworkMode : "");
  return { namespaces, joins };
}

function specMount(mount: ResolvedMount, volumes: ReadonlyMap<string, string>): SpecMount {
  const { Destination: target, RW } = mount;
  if (mount.Type === "tmpfs") return { type: "tmpfs", target, ...tmpfsOptions(mount.options ?? "") };
  return {
    type: "bind",
    source: (mount.Name === undefined ? undefined : volumes.get(mount.Name)) ?? mount.Source,
    target,
    readonly: !RW,
    recursive: mount.recursive ?? true,
    propagation: (mount.Propagation || "rprivate") as Propagation,
    ...(mount.subpath === undefined ? {} : { subpath: mount.subpath }),
    copyUp: mount.Type === "volume" && mount.copyUp === true && mount.subpath === undefined,
  };
}

/** A mount of the user's at one of these paths stands. */
function engineFiles(
  tools: Tools,
  record: ContainerRecord,
  network: Attachment | undefined,
): readonly SpecMount[] {
  const owner = network === undefined ? networkOwner(tools, record) : undefined;
  const taken = new Set(record.mounts.map((mount) => mount.Destination));
  return Object.entries(networkFiles(tools, owner?.id ?? record.id))
    .filter(([target]) => !taken.has(target))
    .map(([target, source]) => engineFile(source, target, record.hostConfig.ReadonlyRootfs ?? false));
}
