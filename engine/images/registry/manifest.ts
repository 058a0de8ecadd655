import { EngineError } from "../../errors.ts";
import { digestOf, isDigest } from "../digest.ts";
import type { Platform } from "../types.ts";

export const MEDIA = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
} as const;

export const ACCEPT = [MEDIA.ociIndex, MEDIA.dockerIndex, MEDIA.ociManifest, MEDIA.dockerManifest].join(", ");

export const MANIFEST_LIMIT = 4 << 20;
/** More than any image has; the kernel stacks no more than 500. */
const LAYER_LIMIT = 500;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number; // bytes
  readonly platform?: Platform & { readonly "os.version"?: string };
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface Index {
  readonly kind: "index";
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

/** A manifest as it came: its bytes are what its digest is of, and are never written anew. */
export interface RawManifest {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly parsed: Manifest | Index;
}

/**
 * Reads a manifest or an index.
 *
 * @param mediaType of the answer; the document's own goes before it
 * @throws {EngineError} invalid
 */
export function parseManifest(bytes: Buffer, mediaType: string): RawManifest {
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new EngineError("invalid", "the manifest is no JSON", { cause });
  }
  if (typeof document !== "object" || document === null)
    throw new EngineError("invalid", "the manifest is no object");
  const type =
    typeof document["mediaType"] === "string"
      ? document["mediaType"]
      : (mediaType.split(";")[0] ?? "").trim();
  if (document["schemaVersion"] === 1) {
    throw new EngineError(
      "invalid",
      "the image has a manifest of schema 1, which is not supported; push it anew with a newer tool",
    );
  }
  const parsed = Array.isArray(document["manifests"])
    ? { kind: "index" as const, mediaType: type, manifests: document["manifests"].map(descriptor) }
    : {
        kind: "manifest" as const,
        mediaType: type,
        config: descriptor(document["config"]),
        layers: layersOf(document),
      };
  return { bytes, digest: digestOf(bytes), parsed };
}

function layersOf(document: Record<string, unknown>): Descriptor[] {
  const layers = document["layers"];
  if (!Array.isArray(layers)) throw new EngineError("invalid", "the manifest has no layers");
  if (layers.length > LAYER_LIMIT)
    throw new EngineError("invalid", `the image has ${layers.length} layers, more than ${LAYER_LIMIT}`);
  return layers.map(descriptor);
}

function descriptor(value: unknown): Descriptor {
  const { digest, size, mediaType = "" } = (value ?? {}) as Partial<Descriptor>;
  if (typeof digest !== "string" || !isDigest(digest))
    throw new EngineError("invalid", "the manifest has a bad digest");
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw new EngineError("invalid", "the manifest has a bad size");
  return { ...(value as Descriptor), mediaType };
}

/**
 * The entry of an index for a platform. Attestations and unknown types are passed over.
 *
 * @throws {EngineError} notFound, in Docker's words
 */
export function selectPlatform(index: Index, wanted: Platform): Descriptor {
  const fitting = index.manifests
    .filter(({ annotations }) => annotations?.["vnd.docker.reference.type"] === undefined)
    .filter(
      ({ platform }) =>
        platform === undefined ||
        (platform.os === wanted.os && platform.architecture === wanted.architecture),
    )
    .map((entry) => ({ entry, rank: rankVariant(wanted, entry.platform?.variant) }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => b.rank - a.rank);
  const best = fitting[0]?.entry;
  if (best === undefined) {
    const name = [wanted.os, wanted.architecture, wanted.variant].filter((part) => part).join("/");
    throw new EngineError("notFound", `no matching manifest for ${name} in the manifest list entries`);
  }
  return best;
}

/** How well a variant serves: the wanted one best, then lower ones of ARM, which newer processors run; -1: not at all. */
function rankVariant(wanted: Platform, variant: string | undefined): number {
  if (variant === wanted.variant) return 100;
  if (wanted.architecture === "arm64") return variant === undefined || variant === "v8" ? 50 : -1;
  if (wanted.architecture === "amd64") return variant === undefined || variant === "v1" ? 50 : -1;
  if (wanted.architecture !== "arm")
    return variant === undefined ? 50 : wanted.variant === undefined ? 1 : -1;
  const [have, need] = [variant, wanted.variant].map((text) => Number(text?.replace("v", "") ?? 7));
  return (have ?? 7) <= (need ?? 7) ? (have ?? 7) : -1;
}
