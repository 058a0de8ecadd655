import { EngineError } from "../errors.ts";
import { MASKED_PATHS, READONLY_PATHS } from "./defaults.ts";
import type { HostConfig } from "./types.ts";

/** What `--security-opt` and `--privileged` say. */
export interface Security {
  readonly noNewPrivileges: boolean;
  /** A profile in Docker's JSON form; `default`; or `unconfined`. */
  readonly seccomp: string;
  readonly masked: readonly string[];
  readonly readonlyPaths: readonly string[];
}

/**
 * @throws {EngineError} invalid for an option that nobody knows
 * @see moby, daemon/daemon_unix.go, parseSecurityOpt
 */
export function parseSecurity(hostConfig: HostConfig): Security {
  let noNewPrivileges = false;
  let seccomp = hostConfig.Privileged ? "unconfined" : "default";
  let masked = hostConfig.MaskedPaths ?? (hostConfig.Privileged ? [] : MASKED_PATHS);
  let readonlyPaths = hostConfig.ReadonlyPaths ?? (hostConfig.Privileged ? [] : READONLY_PATHS);
  for (const option of hostConfig.SecurityOpt ?? []) {
    const [, name = "", value] = /^([^=:]*)(?:[=:]([\s\S]*))?$/.exec(option) ?? [];
    if (name === "no-new-privileges") noNewPrivileges = value === undefined || parseBool(option, value);
    else if (name === "seccomp" && value) seccomp = value === "builtin" ? "default" : value;
    else if (name === "systempaths" && value === "unconfined") [masked, readonlyPaths] = [[], []];
    // There is no such module in the engine's reach: what asks for less than it is granted, the rest is not.
    else if (name === "label" || name === "apparmor") continue;
    else throw new EngineError("invalid", `invalid --security-opt 2: "${option}"`);
  }
  return { noNewPrivileges, seccomp, masked, readonlyPaths };
}

function parseBool(option: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new EngineError("invalid", `invalid --security-opt 2: "${option}"`);
}
