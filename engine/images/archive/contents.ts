import { posix } from "node:path";
import { EngineError } from "../../errors.ts";
import { digestOf } from "../digest.ts";
import { hostPlatform } from "../import.ts";
import { type Reference, tryParseReference, withDefaultTag } from "../reference.ts";
import {
  type Descriptor,
  type Index,
  type Manifest,
  MEDIA,
  parseManifest,
  selectPlatform,
} from "../registry/manifest.ts";

/** What an archive says about one image. */
export interface Wanted {
  readonly config: string; // entry names
  readonly layers: readonly string[];
  readonly names: readonly Reference[];
  /** Its manifest's bytes, where the archive has them. */
  readonly manifest: Buffer | undefined;
  /** Digests of the layers as that manifest names them: those packed forms are to be kept. */
  readonly blobs: ReadonlySet<string>;
}

/** Small entries of an archive by name; larger ones are layers. */
export type Entries = ReadonlyMap<string, Buffer>;

/** An index may stand in an index; a chain of them is somebody's mistake. */
const DEPTH = 3;
const ATTESTATION = "vnd.docker.reference.type";
const FULL_NAME = "io.containerd.image.name";
const SHORT_NAME = "org.opencontainers.image.ref.name";

/**
 * The images of an archive, by Docker's manifest.json or, without one, by an OCI layout's index.json.
 *
 * @throws {EngineError} invalid; none at all is invalid, too
 */
export function imagesOf(entries: Entries): Wanted[] {
  const docker = entries.get("manifest.json");
  const index = entries.get("index.json");
  const images =
    docker !== undefined
      ? fromDocker(docker, entries)
      : index === undefined
        ? []
        : fromIndex(index, entries, { names: [], depth: 0 });
  if (images.length === 0)
    throw new EngineError("invalid", "the archive holds no image: neither manifest.json nor index.json");
  return images;
}

function fromDocker(bytes: Buffer, entries: Entries): Wanted[] {
  const list = parseJson(bytes, "manifest.json") as {
    Config?: string;
    RepoTags?: string[] | null;
    Layers?: string[];
  }[];
  if (!Array.isArray(list)) throw new EngineError("invalid", "manifest.json is no list");
  const known = manifestsOfLayout(entries);
  return list.map(({ Config = "", RepoTags, Layers = [] }) => ({
    config: posix.normalize(Config),
    layers: Layers.map((layer) => posix.normalize(layer)),
    names: (RepoTags ?? []).flatMap((tag) => nameOf(tag)),
    ...(known.get(posix.basename(Config, ".json")) ?? { manifest: undefined, blobs: new Set() }),
  }));
}

/** The manifests of the layout beside manifest.json, by the hex digest of their configuration. */
function manifestsOfLayout(entries: Entries): Map<string, Pick<Wanted, "manifest" | "blobs">> {
  const found = new Map<string, Pick<Wanted, "manifest" | "blobs">>();
  const index = entries.get("index.json");
  if (index === undefined) return found;
  try {
    for (const { config, manifest, blobs } of fromIndex(index, entries, { names: [], depth: 0 }))
      found.set(posix.basename(config), { manifest, blobs });
  } catch {
    // Older archives have an index that names nothing of use; manifest.json is enough.
  }
  return found;
}

interface Above {
  readonly names: readonly Reference[];
  readonly depth: number;
}

function fromIndex(bytes: Buffer, entries: Entries, above: Above): Wanted[] {
  if (above.depth > DEPTH) throw new EngineError("invalid", "the archive's indexes are nested too deeply");
  const index = parseManifest(bytes, MEDIA.ociIndex).parsed as Index;
  const here = index.manifests.filter(
    ({ digest, annotations }) => entries.has(blobName(digest)) && annotations?.[ATTESTATION] === undefined,
  );
  // Beneath a name all are one image, for several platforms.
  const chosen =
    above.depth > 0 && here.length > 1
      ? [selectPlatform({ ...index, manifests: here }, hostPlatform())]
      : here;
  return chosen.flatMap((descriptor) => fromDescriptor(descriptor, entries, above));
}

function fromDescriptor(descriptor: Descriptor, entries: Entries, above: Above): Wanted[] {
  const bytes = entries.get(blobName(descriptor.digest)) as Buffer;
  if (digestOf(bytes) !== descriptor.digest)
    throw new EngineError("invalid", `${descriptor.digest} has another digest`);
  const { [FULL_NAME]: full, [SHORT_NAME]: short } = descriptor.annotations ?? {};
  const own = nameOf(full ?? short ?? "");
  const names = own.length > 0 ? own : above.names;
  const { parsed } = parseManifest(bytes, descriptor.mediaType);
  if (parsed.kind === "index") return fromIndex(bytes, entries, { names, depth: above.depth + 1 });
  const { config, layers } = parsed as Manifest;
  return [
    {
      config: blobName(config.digest),
      layers: layers.map(({ digest }) => blobName(digest)),
      names,
      manifest: bytes,
      blobs: new Set(layers.map(({ digest }) => digest)),
    },
  ];
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

/** None for what is no name, such as a bare tag of a layout that names no repository. */
function nameOf(text: string): Reference[] {
  const reference = tryParseReference(text);
  return reference === undefined || reference.digest !== undefined ? [] : [withDefaultTag(reference)];
}

function parseJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new EngineError("invalid", `${name} is no JSON`, { cause });
  }
}
