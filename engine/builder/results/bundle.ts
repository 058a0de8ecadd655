/**
 * An image with what is said about it, as a tree of manifests: alone its own manifest, with statements an index that
 * names both, as BuildKit attaches them.
 *
 * @see docs.docker.com/build/metadata/attestations/attestation-storage
 */
import { Readable } from "node:stream";
import { digestOf } from "../../images/digest.ts";
import type { Images } from "../../images/images.ts";
import { MEDIA } from "../../images/registry/manifest.ts";
import type { Image } from "../../images/types.ts";
import { ociLayerType } from "../caches/form.ts";
import { packLayers } from "./pack.ts";
import type { Statement } from "./statements.ts";

/** Bytes that a layout or registry holds by their digest. */
export interface BundleBlob {
  readonly digest: string;
  readonly size: number;
  open(start?: number, end?: number): AsyncIterable<Buffer>;
}

export interface BundleManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly bytes: Buffer;
}

/** The image's own manifest, in OCI's types, and its blobs. */
export async function bundleImage(
  image: Image,
  images: Images,
  signal: AbortSignal | undefined,
): Promise<{ readonly manifest: BundleManifest; readonly blobs: readonly BundleBlob[] }> {
  const packed = await packLayers(image.layers, images, signal);
  const config = images.store.configBytes(image.id);
  const layers = image.layers.map((diffId) => packed.get(diffId)!);
  const manifest = manifestOf(MEDIA.ociManifest, {
    config: { mediaType: MEDIA.ociConfig, digest: image.id, size: config.length },
    layers: layers.map(({ mediaType, digest, size }) => ({
      mediaType: ociLayerType(mediaType),
      digest,
      size,
    })),
  });
  const { blobs } = images.store;
  const open = (digest: string) => (start?: number, end?: number) => blobs.open(digest, start, end);
  return {
    manifest,
    blobs: [
      blobOf(config),
      ...[...packed.values()].map(({ digest, size }) => ({ digest, size, open: open(digest) })),
    ],
  };
}

/** @param manifest of the image that is spoken of */
export function bundleStatements(
  statements: readonly Statement[],
  manifest: Pick<BundleManifest, "mediaType" | "digest" | "size">,
  platform: { readonly os: string; readonly architecture: string },
): {
  readonly index: BundleManifest;
  readonly attestation: BundleManifest;
  readonly blobs: readonly BundleBlob[];
} {
  const texts = statements.map((statement) => ({
    blob: blobOf(Buffer.from(JSON.stringify(statement))),
    type: statement.predicateType,
  }));
  const unknown = { architecture: "unknown", os: "unknown" };
  const diffIds = texts.map(({ blob }) => blob.digest);
  const config = blobOf(
    Buffer.from(JSON.stringify({ ...unknown, config: {}, rootfs: { type: "layers", diff_ids: diffIds } })),
  );
  const attestation = manifestOf(MEDIA.ociManifest, {
    config: { mediaType: MEDIA.ociConfig, digest: config.digest, size: config.size },
    layers: texts.map(({ blob: { digest, size }, type }) => ({
      mediaType: "application/vnd.in-toto+json",
      digest,
      size,
      annotations: { "in-toto.io/predicate-type": type },
    })),
  });
  const { os, architecture } = platform;
  const index = manifestOf(MEDIA.ociIndex, {
    manifests: [
      {
        mediaType: manifest.mediaType,
        digest: manifest.digest,
        size: manifest.size,
        platform: { architecture, os },
      },
      {
        mediaType: attestation.mediaType,
        digest: attestation.digest,
        size: attestation.size,
        annotations: {
          "vnd.docker.reference.digest": manifest.digest,
          "vnd.docker.reference.type": "attestation-manifest",
        },
        platform: unknown,
      },
    ],
  });
  return { index, attestation, blobs: [config, ...texts.map(({ blob }) => blob)] };
}

function manifestOf(mediaType: string, content: object): BundleManifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content }));
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

function blobOf(bytes: Buffer): BundleBlob {
  return {
    digest: digestOf(bytes),
    size: bytes.length,
    open: (start = 0, end) => Readable.from([bytes.subarray(start, end)]),
  };
}
