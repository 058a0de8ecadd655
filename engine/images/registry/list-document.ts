import { EngineError } from "../../errors.ts";
import type { Platform } from "../types.ts";
import { type Descriptor, MEDIA } from "./manifest.ts";

export interface ListPlatform extends Platform {
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

/** An image of a list, as it was when it was added. */
export interface ListEntry {
  readonly name: string; // full reference
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number; // bytes
  readonly platform: ListPlatform;
}

export interface ManifestList {
  readonly name: string; // full reference
  readonly entries: readonly ListEntry[];
}

/** Which processors an operating system runs on. @see docker/cli, manifest/util.go */
const PROCESSORS: Readonly<Record<string, readonly string[]>> = {
  aix: ["ppc64"],
  android: ["386", "amd64", "arm", "arm64"],
  darwin: ["386", "amd64", "arm", "arm64"],
  dragonfly: ["amd64"],
  freebsd: ["386", "amd64", "arm"],
  linux: [
    ...["386", "amd64", "arm", "arm64", "ppc64", "ppc64le", "mips", "mipsle", "mips64", "mips64le"],
    ...["riscv64", "s390x", "loong64"],
  ],
  netbsd: ["386", "amd64", "arm"],
  openbsd: ["386", "amd64", "arm"],
  plan9: ["386", "amd64", "arm"],
  solaris: ["amd64"],
  wasip1: ["wasm"],
  windows: ["386", "amd64", "arm", "arm64"],
};

/** A list as it is pushed: Docker's form, unless an image in it has OCI's. */
export function listDocument({ entries }: ManifestList): { bytes: Buffer; mediaType: string } {
  for (const { platform } of entries) checkPlatform(platform);
  const isDocker = entries.every(({ mediaType }) => mediaType === MEDIA.dockerManifest);
  const mediaType = isDocker ? MEDIA.dockerIndex : MEDIA.ociIndex;
  const manifests: Descriptor[] = entries.map(({ name: _, ...descriptor }) => ({
    ...descriptor,
    platform: platformFields(descriptor.platform),
  }));
  const document = { schemaVersion: 2, mediaType, manifests };
  return { bytes: Buffer.from(JSON.stringify(document, undefined, 3)), mediaType };
}

/** In the order, and with nothing but what, Docker writes. */
function platformFields(platform: ListPlatform): ListPlatform {
  const { architecture, os, variant = "" } = platform;
  const [version = "", features = []] = [platform["os.version"], platform["os.features"]];
  return {
    architecture,
    os,
    ...(version !== "" && { "os.version": version }),
    ...(features.length > 0 && { "os.features": features }),
    ...(variant !== "" && { variant }),
  };
}

/** @throws {EngineError} invalid for a platform that there is not */
export function checkPlatform({ os, architecture }: ListPlatform): void {
  if (PROCESSORS[os]?.includes(architecture)) return;
  throw new EngineError(
    "invalid",
    `manifest entry for image has unsupported os/arch combination: ${os}/${architecture}`,
  );
}
