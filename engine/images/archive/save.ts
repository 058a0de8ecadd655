import { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import type { BlobDescriptor } from "../catalog-file.ts";
import { digestOf, hexOf } from "../digest.ts";
import type { Lease } from "../leases.ts";
import { familiar, parseReference, type Reference, tryParseReference, withDefaultTag } from "../reference.ts";
import { type Manifest, MEDIA, parseManifest } from "../registry/manifest.ts";
import { notFound } from "../remove.ts";
import type { ImageStore } from "../store.ts";
import { tarEnd, tarFile, tarHeader, tarPadding } from "./tar-writer.ts";

/** An image with the names under which it is saved. */
interface Saved {
  readonly id: string;
  readonly names: readonly Reference[];
  readonly layers: readonly BlobDescriptor[];
  readonly manifest: { readonly bytes: Buffer; readonly mediaType: string };
}

/**
 * Packs images into one archive that is both Docker's (manifest.json) and an OCI layout (index.json). Layers are packed
 * as they travelled, where that form is still here, else as plain archives.
 *
 * @param names of images, their ids, or repositories, which stand for all their tags
 * @throws {EngineError} notFound
 */
export function save(store: ImageStore, names: readonly string[], lease: Lease): Readable {
  const images = collect(store, names);
  for (const { id, layers } of images)
    lease.hold(id, ...layers.map(({ digest }) => digest), ...(store.get(id)?.layers ?? []));
  return Readable.from(pack(store, images), { objectMode: false, highWaterMark: 1 << 20 });
}

function collect(store: ImageStore, asked: readonly string[]): Saved[] {
  const names = new Map<string, Reference[]>();
  for (const text of asked) {
    const reference = tryParseReference(text);
    const tags =
      reference !== undefined && reference.tag === undefined && reference.digest === undefined
        ? tagsOf(store, reference)
        : [];
    const id = store.resolveId(text);
    if (
      tags.length > 0 &&
      (id === undefined || store.idOfName(withDefaultTag(reference as Reference)) === id)
    ) {
      for (const tag of tags) add(names, store.idOfName(tag) as string, tag);
    } else if (id === undefined) throw new EngineError("notFound", `No such image: ${text}`);
    else
      add(
        names,
        id,
        reference?.tag === undefined || store.idOfName(reference) !== id ? undefined : reference,
      );
  }
  return [...names].map(([id, references]) => describe(store, id, references));
}

function tagsOf(store: ImageStore, { domain, path }: Reference): Reference[] {
  return [...store.catalog.names()]
    .map(([name]) => parseReference(name))
    .filter((name) => name.domain === domain && name.path === path && name.digest === undefined);
}

function add(names: Map<string, Reference[]>, id: string, name: Reference | undefined): void {
  const known = names.get(id) ?? [];
  const isNew = name !== undefined && !known.some((other) => familiar(other) === familiar(name));
  names.set(id, isNew ? [...known, name] : known);
}

function describe(store: ImageStore, id: string, names: readonly Reference[]): Saved {
  const record = store.catalog.images.get(id);
  if (record === undefined) throw notFound(id);
  const layers = record.layers.map((diffId) => {
    const layer = store.catalog.layers.get(diffId);
    if (layer === undefined) throw new EngineError("system", `the layer ${diffId} of ${id} is lost`);
    return layer.blobs[0] ?? { digest: diffId, size: layer.archiveSize, mediaType: MEDIA.ociLayer };
  });
  return { id, names, layers, manifest: manifestOf(store, id, record.manifests, layers) };
}

/** The manifest it came with where it names the same blobs, so that its digest outlives the archive. */
function manifestOf(
  store: ImageStore,
  id: string,
  known: readonly string[],
  layers: readonly BlobDescriptor[],
): Saved["manifest"] {
  for (const digest of known) {
    try {
      const { bytes, parsed } = parseManifest(store.blobs.readNow(digest), "");
      const isSame = parsed.kind === "manifest" && isManifestOf(parsed, id, layers);
      if (isSame) return { bytes, mediaType: parsed.mediaType };
    } catch {
      // A manifest that is gone is made anew.
    }
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, digest: id, size: store.configBytes(id).length },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType: ociType(mediaType), digest, size })),
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: MEDIA.ociManifest };
}

function isManifestOf(manifest: Manifest, id: string, layers: readonly BlobDescriptor[]): boolean {
  return (
    manifest.config.digest === id && manifest.layers.every((layer, at) => layer.digest === layers[at]?.digest)
  );
}

function ociType(mediaType: string): string {
  return mediaType
    .replace(`${MEDIA.dockerLayer}.`, `${MEDIA.ociLayer}+`)
    .replace(MEDIA.dockerLayer, MEDIA.ociLayer);
}

async function* pack(store: ImageStore, images: readonly Saved[]): AsyncGenerator<Buffer> {
  const written = new Set<string>();
  const once = (digest: string): boolean => !written.has(digest) && Boolean(written.add(digest));
  yield tarHeader({ name: "blobs/", directory: true });
  yield tarHeader({ name: "blobs/sha256/", directory: true });
  for (const { id, layers, manifest } of images) {
    if (once(id)) yield tarFile(blobPath(id), store.configBytes(id));
    const digest = digestOf(manifest.bytes);
    if (once(digest)) yield tarFile(blobPath(digest), manifest.bytes);
    const diffIds = store.catalog.images.get(id)?.layers ?? [];
    for (const [at, layer] of layers.entries()) {
      if (once(layer.digest)) yield* packLayer(store, layer, diffIds[at] ?? "");
    }
  }
  yield tarFile("index.json", JSON.stringify(indexOf(images)));
  yield tarFile("manifest.json", JSON.stringify(images.map((image) => dockerManifest(store, image))));
  yield tarFile("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
  const repositories = repositoriesOf(images);
  if (Object.keys(repositories).length > 0)
    yield tarFile("repositories", `${JSON.stringify(repositories)}\n`);
  yield tarEnd();
}

async function* packLayer(store: ImageStore, layer: BlobDescriptor, diffId: string): AsyncGenerator<Buffer> {
  yield tarHeader({ name: blobPath(layer.digest), size: layer.size });
  const content =
    layer.digest === diffId && !(await store.blobs.has(diffId))
      ? await store.layers.pack(diffId)
      : store.blobs.open(layer.digest);
  let size = 0;
  for await (const chunk of content) {
    size += (chunk as Buffer).length;
    yield chunk as Buffer;
  }
  if (size !== layer.size) throw new EngineError("system", `the layer ${diffId} changed on disk`);
  yield tarPadding(size);
}

function blobPath(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function indexOf(images: readonly Saved[]): object {
  const manifests = images.flatMap(({ manifest, names }) => {
    const descriptor = {
      mediaType: manifest.mediaType,
      digest: digestOf(manifest.bytes),
      size: manifest.bytes.length,
    };
    if (names.length === 0) return [descriptor];
    return names.map((name) => ({
      ...descriptor,
      annotations: {
        "io.containerd.image.name": `${name.domain}/${name.path}:${name.tag}`,
        "org.opencontainers.image.ref.name": name.tag,
      },
    }));
  });
  return { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests };
}

function dockerManifest(store: ImageStore, { id, names, layers }: Saved): object {
  const diffIds = store.catalog.images.get(id)?.layers ?? [];
  return {
    Config: blobPath(id),
    RepoTags: names.length === 0 ? null : names.map(familiar),
    Layers: layers.map(({ digest }) => blobPath(digest)),
    LayerSources: Object.fromEntries(
      layers.map(({ mediaType, size, digest }, at) => [
        diffIds[at],
        { mediaType: ociType(mediaType), size, digest },
      ]),
    ),
  };
}

function repositoriesOf(images: readonly Saved[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { names, layers } of images) {
    for (const name of names) {
      const repository = familiar({ ...name, tag: undefined });
      repositories[repository] = {
        ...repositories[repository],
        [name.tag ?? ""]: hexOf(layers.at(-1)?.digest ?? `sha256:${"0".repeat(64)}`),
      };
    }
  }
  return repositories;
}
