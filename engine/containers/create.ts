import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { EngineError, messageOf } from "../errors.ts";
import { parseReference } from "../images/reference.ts";
import type { Image } from "../images/types.ts";
import { containerCapabilities } from "./capabilities.ts";
import { checkCpuset } from "./cgroups/cpuset.ts";
import { checkedParent } from "./cgroups/parent.ts";
import { checkpoint } from "./checkpoint.ts";
import { commandOf, mergeConfig } from "./config.ts";
import { refuseConflicts } from "./conflicts.ts";
import type { Container } from "./container.ts";
import { checkSources, makeVolumes, namedVolumes, plainMounts } from "./create-mounts.ts";
import { containerDevices, throttleNumbers } from "./devices.ts";
import { completeHostConfig } from "./host-config.ts";
import { logPath } from "./logs/settings.ts";
import { type WantedMount, wantedMounts } from "./mounts.ts";
import { limitStorage } from "./quota.ts";
import { rlimits } from "./rlimits.ts";
import { parseSecurity } from "./security.ts";
import { checkCreateShape } from "./shape.ts";
import { signalNumber } from "./signals.ts";
import { formatTime, nowNs } from "./time.ts";
import { tmpfsOptions } from "./tmpfs.ts";
import { emit, type Tools } from "./tools.ts";
import {
  type ContainerConfig,
  type ContainerRecord,
  type CreateRequest,
  type EndpointRequest,
  type HostConfig,
  NEVER,
  type ResolvedMount,
} from "./types.ts";
import { warningsOf } from "./warnings.ts";

export interface Created {
  readonly container: Container;
  readonly warnings: readonly string[];
}

/**
 * Makes a container that can be started: everything that can be wrong with the request is found here.
 *
 * @param options.name empty for a random one
 * @param options.platform `os/architecture/variant` that the image must have; empty for any
 * @throws {EngineError} notFound for an image, volume or container that is named and absent; conflict for a name that
 * is taken; invalid for the rest
 */
export async function createContainer(
  tools: Tools,
  request: CreateRequest,
  options: { readonly name: string; readonly platform: string },
): Promise<Created> {
  const id = randomBytes(32).toString("hex");
  checkCreateShape(request);
  refuseConflicts(request);
  const image = findImage(tools, request, options.platform);
  const hostConfig = completeHostConfig(request.HostConfig ?? {});
  const config = namedAfterMachine(
    mergeConfig(request, image.config.config ?? {}, id),
    hostConfig,
    request.Hostname,
  );
  const { path, args } = commandOf(config);
  await checkOptions(tools, config, hostConfig);
  const endpoints = endpointsOf(tools, request, hostConfig);
  tools.networks.check(endpoints);
  const chosen = tools.registry.reserveName(options.name, id);
  try {
    checkpoint("create: name taken");
    const wanted = namedVolumes(wantedMounts(config, hostConfig, inherited(tools, hostConfig)));
    await checkSources(wanted);
    const record: ContainerRecord = {
      id,
      name: chosen,
      created: formatTime(nowNs()),
      imageId: image.id,
      layers: image.layers,
      config,
      hostConfig,
      endpoints,
      mounts: plainMounts(wanted),
      path,
      args,
      state: FRESH,
    };
    await makeDirectories(tools, record);
    await limitStorage(tools, record);
    checkpoint("create: directories made");
    const container = await tools.registry.add(record);
    checkpoint("create: record written");
    await addVolumes(tools, container, wanted);
    checkpoint("create: volumes made");
    emit(tools, container, "create");
    return { container, warnings: warningsOf(tools.host, hostConfig) };
  } catch (error) {
    await discard(tools, id, chosen);
    throw error;
  }
}

/** A daemon that is killed before the volumes are made finds a container without them, which it takes for unmade. */
async function addVolumes(tools: Tools, container: Container, wanted: readonly WantedMount[]): Promise<void> {
  if (!wanted.some(({ Type }) => Type === "volume")) return;
  const mounts = await makeVolumes(tools, wanted);
  await tools.registry.change(container, { mounts });
}

async function discard(tools: Tools, id: string, name: string): Promise<void> {
  if (tools.registry.has(id)) await tools.registry.remove(tools.registry.find(id));
  tools.registry.freeName(name, id);
  await tools.trash.discard(tools.paths.container(id));
}

const FRESH = {
  status: "created",
  pid: 0,
  monitorPid: 0,
  exitCode: 0,
  error: "",
  oomKilled: false,
  startedAt: NEVER,
  finishedAt: NEVER,
  restartCount: 0,
  stoppedByUser: false,
} as const;

function findImage(tools: Tools, request: CreateRequest, platform: string): Image {
  const reference = request.Image ?? "";
  if (reference === "") throw new EngineError("invalid", "no command specified");
  const image = tools.images.resolve(reference);
  if (image !== undefined) {
    checkPlatform(image, reference, platform);
    return image;
  }
  // Says why, where it can be no image's name at all.
  parseReference(reference);
  const tagged = /[:@][^/]*$/.test(reference) ? reference : `${reference}:latest`;
  throw new EngineError("notFound", `No such image: ${tagged}`);
}

/** @throws {EngineError} notFound: the client may pull the image that it wants */
function checkPlatform(image: Image, reference: string, platform: string): void {
  if (platform === "") return;
  const [os, architecture = "", variant = ""] = platform.toLowerCase().split("/");
  const { config } = image;
  const same =
    os === config.os &&
    (architecture === "" || architecture === config.architecture) &&
    (variant === "" || variant === (config.variant ?? variant));
  if (same) return;
  const actual = [config.os, config.architecture, config.variant].filter(Boolean).join("/");
  throw new EngineError(
    "notFound",
    `image with reference ${reference} was found but does not match the specified platform: wanted ${platform}, actual: ${actual}`,
  );
}

/** With the host's UTS or network namespace the host's name is the container's, unless another was asked for. */
function namedAfterMachine(
  config: ContainerConfig,
  hostConfig: HostConfig,
  asked: string | undefined,
): ContainerConfig {
  const shared = hostConfig.UTSMode === "host" || (hostConfig.NetworkMode === "host" && !asked);
  return shared ? { ...config, Hostname: hostname() } : config;
}

/** Reads every option once, so that a mistake is told at create and not at start. */
async function checkOptions(tools: Tools, config: ContainerConfig, hostConfig: HostConfig): Promise<void> {
  const capabilities = containerCapabilities({
    privileged: hostConfig.Privileged ?? false,
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    available: tools.host.capabilities,
  });
  tools.filters.get(parseSecurity(hostConfig).seccomp, capabilities);
  rlimits(hostConfig.Ulimits ?? []);
  for (const link of hostConfig.Links ?? []) checkLink(tools, link);
  await checkCpuset(tools.host.cgroups, hostConfig);
  if (config.StopSignal) signalNumber(config.StopSignal);
  if (hostConfig.CgroupParent) checkedParent(hostConfig.CgroupParent);
  if (config.WorkingDir && !config.WorkingDir.startsWith("/")) {
    throw new EngineError(
      "invalid",
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  for (const options of Object.values(hostConfig.Tmpfs ?? {})) tmpfsOptions(options);
  await containerDevices(hostConfig);
  await throttleNumbers(hostConfig);
  for (const mode of [hostConfig.PidMode, hostConfig.IpcMode]) {
    if (mode?.startsWith("container:")) otherContainer(tools, mode.slice("container:".length));
  }
}

/** `container:alias` */
function checkLink(tools: Tools, link: string): void {
  const [reference = ""] = link.split(":");
  try {
    tools.registry.find(reference);
  } catch (cause) {
    throw new EngineError("invalid", `could not get container for ${reference}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function endpointsOf(
  tools: Tools,
  request: CreateRequest,
  hostConfig: HostConfig,
): Readonly<Record<string, EndpointRequest>> {
  const asked = Object.entries(request.NetworkingConfig?.EndpointsConfig ?? {});
  // By the network's own name, however it was referred to; one that is not there yet may be by the start.
  const named = asked.map(([name, endpoint]) => [networkName(tools, name), endpoint ?? {}] as const);
  const mode = hostConfig.NetworkMode ?? "bridge";
  if (mode.startsWith("container:")) return Object.fromEntries(named);
  const main = networkName(tools, mode);
  return { [main]: {}, ...Object.fromEntries(named) };
}

function networkName(tools: Tools, reference: string): string {
  if (reference === "default") return "bridge";
  return tools.networks.resolve(reference)?.Name ?? reference;
}

function inherited(tools: Tools, hostConfig: HostConfig): readonly ResolvedMount[] {
  return (hostConfig.VolumesFrom ?? []).flatMap((from) => {
    const [reference = "", mode = ""] = from.split(":");
    const readonly = mode.split(",").includes("ro");
    const { mounts } = otherContainer(tools, reference).record;
    // The volume belongs to the other container; this one must not take it along when it is removed.
    return mounts
      .filter((mount) => mount.Type !== "tmpfs")
      .map(({ anonymous: _, ...mount }) => ({ ...mount, RW: mount.RW && !readonly, copyUp: false }));
  });
}

/** A container that an option names. Clients take "not found" for a missing image, and would pull. */
function otherContainer(tools: Tools, reference: string): Container {
  try {
    return tools.registry.find(reference);
  } catch (cause) {
    throw new EngineError("invalid", messageOf(cause), { cause });
  }
}

async function makeDirectories(tools: Tools, record: ContainerRecord): Promise<void> {
  const directory = tools.paths.container(record.id);
  await mkdir(directory, { mode: 0o710 });
  await Promise.all([mkdir(join(directory, "upper")), mkdir(join(directory, "work"))]);
  const logs = dirname(logPath(tools.paths, record));
  if (logs !== directory) await mkdir(logs, { mode: 0o700 });
}
