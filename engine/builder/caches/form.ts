/**
 * Results of steps as BuildKit writes them down for other machines: a manifest whose configuration lists records, each
 * with the layer it gave. Keys are our own, so BuildKit finds nothing of its own in it, and we nothing in BuildKit's;
 * but every registry and tool that takes BuildKit's caches takes ours.
 *
 * @see github.com/moby/buildkit cache/remotecache/v1/spec.go
 */
import { EngineError } from "../../errors.ts";
import { digestOf, isDigest } from "../../images/digest.ts";
import { type Descriptor, MEDIA } from "../../images/registry/manifest.ts";
import type { StepRecord } from "../cache.ts";

export const CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0";

/** A layer as it travels. */
export interface PackedLayer extends Descriptor {
  readonly diffId: string;
}

/** What a place has: key → its record, and the layer to fetch; without a layer it is among an image's that is here. */
export type KnownResults = ReadonlyMap<string, { readonly record: StepRecord; readonly layer?: PackedLayer }>;

interface CacheConfig {
  readonly layers?: readonly {
    readonly blob?: string;
    readonly parent?: number;
    readonly annotations?: {
      readonly mediaType?: string;
      readonly diffID?: string;
      readonly size?: number;
      readonly createdAt?: string;
    };
  }[];
  readonly records?: readonly {
    readonly digest?: string;
    readonly results?: readonly { readonly layer: number; readonly createdAt?: string }[];
    /** What only we read. */
    readonly slipway?: Partial<Pick<StepRecord, "id" | "title" | "inputs" | "place" | "size">>;
  }[];
}

export interface CacheDocument {
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly config: Buffer;
  readonly layers: readonly PackedLayer[];
}

/** @param packed for every layer of the records */
export function writeCache(
  records: readonly StepRecord[],
  packed: ReadonlyMap<string, PackedLayer>,
): CacheDocument {
  const layers = [...new Set(records.map(({ diffId }) => diffId))].map((diffId) => packed.get(diffId)!);
  const config = Buffer.from(JSON.stringify(configOf(records, layers)));
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: CACHE_CONFIG, digest: digestOf(config), size: config.length },
    layers: layers.map(({ diffId, mediaType, digest, size }) => ({
      mediaType: ociLayerType(mediaType),
      digest,
      size,
      annotations: { "containerd.io/uncompressed": diffId },
    })),
  };
  return { manifest: Buffer.from(JSON.stringify(manifest)), mediaType: MEDIA.ociManifest, config, layers };
}

/** Within an image's configuration, as base64. @param diffIds of the image's layers, bottom first */
export function writeInline(records: readonly StepRecord[], diffIds: readonly string[]): string {
  const layers = diffIds.map((diffId, at) => ({
    diffId,
    digest: diffId,
    mediaType: "",
    size: 0,
    parent: at - 1,
  }));
  return Buffer.from(JSON.stringify(configOf(records, layers))).toString("base64");
}

/** The field of an image's configuration that holds it. */
export const INLINE = "moby.buildkit.cache.v0";

function configOf(
  records: readonly StepRecord[],
  layers: readonly (PackedLayer & { readonly parent?: number })[],
): CacheConfig {
  const places = new Map(layers.map(({ diffId }, at) => [diffId, at]));
  const sorted = [...records].sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    layers: layers.map(({ digest, diffId, mediaType, size, parent = -1 }) => ({
      blob: digest,
      parent,
      annotations: { diffID: diffId, ...(mediaType !== "" && { mediaType: ociLayerType(mediaType), size }) },
    })),
    records: sorted.map(({ key, diffId, created, id, title, inputs, place, size }) => ({
      digest: `sha256:${key}`,
      results: [{ layer: places.get(diffId)!, createdAt: created }],
      slipway: { id, title, inputs, place, size },
    })),
  };
}

/**
 * @param text the configuration
 * @param layers of the manifest; for an image those of its manifest, in the order of its diffIds
 * @throws {EngineError} invalid
 */
export function readCache(text: string, layers: readonly Descriptor[], isInline: boolean): KnownResults {
  let config: CacheConfig;
  try {
    config = JSON.parse(text) as CacheConfig;
  } catch (cause) {
    throw new EngineError("invalid", "the cache's configuration is no JSON", { cause });
  }
  const byDigest = new Map(layers.map((layer) => [layer.digest, layer]));
  const known = new Map<string, { record: StepRecord; layer?: PackedLayer }>();
  for (const { digest = "", results, slipway } of config.records ?? []) {
    const [result] = results ?? [];
    const described = result === undefined ? undefined : config.layers?.[result.layer];
    const diffId = described?.annotations?.diffID;
    const [, key] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? [];
    // Records of BuildKit's own have no part of ours; they are of no use here.
    if (key === undefined || result === undefined || diffId === undefined || !isDigest(diffId)) continue;
    if (typeof slipway?.id !== "string" || typeof slipway.place !== "string") continue;
    const { id, title = "", inputs = {}, place, size = 0 } = slipway;
    const created = result.createdAt ?? new Date(0).toISOString();
    const record = { key, id, diffId, title, created, inputs, place, size, usedAt: Date.now(), uses: 1 };
    const layer = isInline ? layers[result.layer] : byDigest.get(described?.blob ?? "");
    known.set(key, { record, ...(layer !== undefined && { layer: { ...layer, diffId } }) });
  }
  return known;
}

/** OCI's name of what may bear Docker's. */
export function ociLayerType(mediaType: string): string {
  return mediaType.replace(`${MEDIA.dockerLayer}.`, `${MEDIA.ociLayer}+`);
}
