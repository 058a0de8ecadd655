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
  readonly hooks?: Readonly<Record<string, readonly OciHook[] | undefined>>;
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
}

export type CapabilitySet = "bounding" | "effective" | "permitted" | "inheritable" | "ambient";

export interface OciMount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
}

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
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit?: number };
  readonly blockIO?: { readonly weight?: number };
}

export interface OciLinux {
  readonly namespaces?: readonly { readonly type: string; readonly path?: string }[];
  readonly uidMappings?: readonly OciMapping[];
  readonly gidMappings?: readonly OciMapping[];
  readonly devices?: readonly OciDevice[];
  readonly cgroupsPath?: string;
  readonly resources?: OciResources;
  readonly seccomp?: object;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
}

export interface OciMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** @throws {EngineError} invalid, if there is none or it is no JSON */
export async function readConfig(bundle: string): Promise<OciConfig> {
  try {
    return JSON.parse(await readFile(join(bundle, "config.json"), "utf8")) as OciConfig;
  } catch (cause) {
    throw new EngineError("invalid", `cannot read ${bundle}/config.json: ${messageOf(cause)}`, { cause });
  }
}
