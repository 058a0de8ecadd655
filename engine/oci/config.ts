/** A bundle's config.json, as far as it is obeyed here. @see the OCI runtime specification, config.md and config-linux.md */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, messageOf } from "../errors.ts";

export interface OciConfig {
  readonly ociVersion: string;
  readonly process?: OciProcess;
  readonly root?: { readonly path: string; readonly readonly?: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly OciMount[];
  readonly hooks?: Readonly<Partial<Record<HookKind, readonly OciHook[]>>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: OciLinux;
}

export interface OciProcess {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user?: {
    readonly uid?: number;
    readonly gid?: number;
    readonly umask?: number;
    readonly additionalGids?: readonly number[];
  };
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly cwd: string;
  readonly capabilities?: Readonly<Partial<Record<CapabilitySet, readonly string[]>>>;
  readonly rlimits?: readonly { readonly type: string; readonly hard: number; readonly soft: number }[];
  readonly noNewPrivileges?: boolean;
  readonly oomScoreAdj?: number;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
}

export type CapabilitySet = "bounding" | "effective" | "permitted" | "inheritable" | "ambient";

export interface OciMount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly OciMapping[];
}

export type HookKind =
  | "prestart"
  | "createRuntime"
  | "createContainer"
  | "startContainer"
  | "poststart"
  | "poststop";

export interface OciHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export interface OciDevice {
  readonly path: string;
  readonly type: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface OciResources {
  readonly devices?: readonly {
    readonly allow: boolean;
    readonly type?: string;
    readonly major?: number;
    readonly minor?: number;
    readonly access?: string;
  }[];
  readonly memory?: {
    readonly limit?: number;
    readonly swap?: number;
    readonly reservation?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly realtimeRuntime?: number;
    readonly realtimePeriod?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit?: number };
  readonly blockIO?: {
    readonly weight?: number;
    readonly weightDevice?: readonly OciWeight[];
    readonly throttleReadBpsDevice?: readonly OciThrottle[];
    readonly throttleWriteBpsDevice?: readonly OciThrottle[];
    readonly throttleReadIOPSDevice?: readonly OciThrottle[];
    readonly throttleWriteIOPSDevice?: readonly OciThrottle[];
  };
  readonly unified?: Readonly<Record<string, string>>;
  readonly network?: object | null;
  readonly rdma?: object | null;
  readonly hugepageLimits?: readonly object[] | null;
}

export interface OciWeight {
  readonly major: number;
  readonly minor: number;
  /** 10…1000 */
  readonly weight?: number;
}

export interface OciThrottle {
  readonly major: number;
  readonly minor: number;
  /** Bytes, or operations, a second. */
  readonly rate: number;
}

export interface OciLinux {
  readonly namespaces?: readonly { readonly type: string; readonly path?: string }[];
  readonly uidMappings?: readonly OciMapping[];
  readonly gidMappings?: readonly OciMapping[];
  readonly devices?: readonly OciDevice[];
  readonly cgroupsPath?: string;
  readonly resources?: OciResources;
  readonly seccomp?: { readonly listenerPath?: string };
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly rootfsPropagation?: string;
  readonly personality?: object;
  readonly intelRdt?: object;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
}

export interface OciMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** @throws {EngineError} invalid, if there is none, it is no JSON, or lacks what every bundle has; notImplemented */
export async function readConfig(bundle: string): Promise<OciConfig> {
  let config: OciConfig;
  try {
    config = JSON.parse(await readFile(join(bundle, "config.json"), "utf8")) as OciConfig;
  } catch (cause) {
    throw new EngineError("invalid", `cannot read ${bundle}/config.json: ${messageOf(cause)}`, { cause });
  }
  check(config);
  return config;
}

function check(config: OciConfig): void {
  const invalid = (why: string): never => {
    throw new EngineError("invalid", `config.json: ${why}`);
  };
  if (!/^1\.\d+\.\d+/.test(config.ociVersion ?? ""))
    invalid(`ociVersion ${config.ociVersion} is not supported`);
  if (!config.root?.path) invalid("root.path must be set");
  if (config.linux === undefined) invalid("linux must be set: this is a runtime for Linux");
  if (config.process !== undefined && !config.process.cwd?.startsWith("/"))
    invalid("process.cwd must be absolute");
  for (const { destination } of config.mounts ?? []) {
    if (!destination.startsWith("/")) invalid(`mount destination ${destination} is not absolute`);
  }
  const refused: Readonly<Record<string, unknown>> = {
    "linux.personality": config.linux?.personality,
    "linux.intelRdt": config.linux?.intelRdt,
    "linux.seccomp.listenerPath": config.linux?.seccomp?.listenerPath || undefined,
    "uidMappings of a mount": config.mounts?.find(({ uidMappings }) => uidMappings?.length),
  };
  for (const [name, value] of Object.entries(refused)) {
    if (value != null) throw new EngineError("notImplemented", `config.json: ${name} is not supported`);
  }
}
