import { EngineError } from "../errors.ts";
import type { Platform } from "../images/types.ts";
import { formatPlatform } from "./plan/arguments.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** The platform that this machine runs. */
export const OWN_PLATFORM: Platform = {
  os: "linux",
  architecture: ARCHITECTURES[process.arch] ?? process.arch,
};

/** @throws {EngineError} invalid for any other platform: there is no emulation */
export function refuseForeign(platform: Platform): void {
  if (platform.os === OWN_PLATFORM.os && platform.architecture === OWN_PLATFORM.architecture) return;
  const own = formatPlatform(OWN_PLATFORM);
  throw new EngineError(
    "invalid",
    `${formatPlatform(platform)} cannot be built here: this machine runs ${own} only`,
  );
}
