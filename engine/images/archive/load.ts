import { createHash, randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join, posix } from "node:path";
import { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import { decompress } from "../decompress.ts";
import { digestOf } from "../digest.ts";
import { type Staging, unpackLimits } from "../layers.ts";
import type { Lease } from "../leases.ts";
import { ItemProgress, shortId } from "../progress.ts";
import { familiar, type Reference, tryParseReference, withDefaultTag } from "../reference.ts";
import { type Index, type Manifest, MEDIA, parseManifest } from "../registry/manifest.ts";
import { checkConfig } from "../registry/pull.ts";
import type { ImageStore } from "../store.ts";
import type { Progress } from "../types.ts";
import { readTar, type TarEntry } from "./tar-reader.ts";

/** Entries up to this size are kept in memory: manifests and configurations are, layers seldom. */
const SMALL = 1 << 20;
/** Of all small entries together. */
const SMALL_TOTAL = 64 << 20;

/** A layer that was met before anything said which image it belongs to. */
interface Met {
  readonly staging: Staging;
  readonly diffId: string;
  readonly size: number;
  readonly archiveSize: number;
  readonly blob: { readonly digest: string; readonly size: number; readonly mediaType: string };
}

/** What an archive's manifest.json or index.json says about one image. */
interface Wanted {
  readonly config: string; // entry names
  readonly layers: readonly string[];
  readonly names: readonly Reference[];
  readonly manifest: Buffer | undefined;
}

/**
 * Loads every image of an archive: Docker's of any age, or an OCI layout; compressed or not. Layers are unpacked as
 * they pass, whatever order the entries have.
 *
 * @returns the ids @throws {EngineError} invalid; nothing of the archive is left then
 */
export async function load(
  store: ImageStore,
  lease: Lease,
  source: Readable,
  progress: Progress,
): Promise<string[]> {
  const { stream } = await decompress(source);
  const loader = new Loader(store, lease, progress);
  try {
    for await (const entry of readTar(stream)) await loader.take(entry);
    return await loader.finish();
  } finally {
    await loader.clean();
    stream.destroy();
  }
}

class Loader {
  readonly #store: ImageStore;
  readonly #lease: Lease;
  readonly #progress: Progress;
  readonly #small = new Map<string, Buffer>();
  readonly #layers = new Map<string, Met>();
  readonly #present = new Map<string, string>(); // entry name → diffId of a layer that is here already
  readonly #links = new Map<string, string>();
  readonly #kept = new Set<string>(); // blobs written for layers
  #smallTotal = 0;

  constructor(store: ImageStore, lease: Lease, progress: Progress) {
    this.#store = store;
    this.#lease = lease;
    this.#progress = progress;
  }

  async take(entry: TarEntry): Promise<void> {
    const name = posix.normalize(entry.name).replace(/^\/+/, "");
    if (name.startsWith("..")) throw new EngineError("invalid", `${entry.name} leads out of the archive`);
    if (entry.type === "symlink" || entry.type === "link") {
      const target = entry.type === "link" ? entry.link : posix.join(posix.dirname(name), entry.link);
      this.#links.set(name, posix.normalize(target));
    }
    if (entry.type !== "file") return;
    if (entry.size > SMALL) return this.#takeLayer(name, entry);
    this.#smallTotal += entry.size;
    if (this.#smallTotal > SMALL_TOTAL)
      throw new EngineError("invalid", "the archive has too many small files");
    this.#small.set(name, await entry.bytes(SMALL));
  }

  /** Unpacks a large entry and keeps its bytes: its digest, and so its diffId, cannot be made again from the files. */
  async #takeLayer(name: string, entry: TarEntry): Promise<void> {
    const known = this.#knownLayer(name);
    if (known !== undefined) {
      this.#present.set(name, known);
      return;
    }
    const lines = new ItemProgress(this.#progress, shortId(posix.basename(name, ".tar")));
    const staging = await this.#store.layers.stage();
    const part = join(this.#store.paths.ingest, `${randomBytes(8).toString("hex")}.tmp`);
    try {
      const hash = createHash("sha256");
      const packed = Readable.from(keeping(entry, part, hash, lines), {
        objectMode: false,
        highWaterMark: 1 << 20,
      });
      const { stream, compression } = await decompress(packed);
      const {
        digest: diffId,
        bytes,
        size,
      } = await this.#store.layers.fill(staging, stream, unpackLimits(entry.size));
      const digest = `sha256:${hash.digest("hex")}`;
      await this.#store.blobs.adopt(part, digest);
      this.#kept.add(digest);
      const mediaType = compression === "none" ? MEDIA.ociLayer : `${MEDIA.ociLayer}+${compression}`;
      const blob = { digest, size: entry.size, mediaType };
      this.#layers.set(name, { staging, diffId, size: size.bytes, archiveSize: bytes, blob });
      lines.status("Loading layer");
    } catch (error) {
      await this.#store.layers.discard(staging);
      await rm(part, { force: true });
      throw error;
    }
  }

  /** By the name of the entry, which is its digest in newer archives; the image's configuration decides in the end. */
  #knownLayer(name: string): string | undefined {
    const hex = /(?:^|\/)([0-9a-f]{64})$/.exec(name)?.[1];
    if (hex === undefined) return undefined;
    const digest = `sha256:${hex}`;
    if (this.#store.layers.has(digest)) return digest;
    for (const [diffId, { blobs }] of this.#store.catalog.layers)
      if (blobs.some((blob) => blob.digest === digest)) return diffId;
    return undefined;
  }

  async finish(): Promise<string[]> {
    const images = this.#images();
    if (images.length === 0)
      throw new EngineError("invalid", "the archive holds no image: neither manifest.json nor index.json");
    const ids: string[] = [];
    for (const image of images) ids.push(await this.#loadImage(image));
    await this.#store.catalog.save();
    return ids;
  }

  #images(): Wanted[] {
    const docker = this.#small.get("manifest.json");
    if (docker !== undefined) return this.#fromDocker(docker);
    const index = this.#small.get("index.json");
    return index === undefined ? [] : this.#fromIndex(index, 0);
  }

  #fromDocker(bytes: Buffer): Wanted[] {
    const list = parseJson(bytes, "manifest.json") as {
      Config?: string;
      RepoTags?: string[] | null;
      Layers?: string[];
    }[];
    if (!Array.isArray(list)) throw new EngineError("invalid", "manifest.json is no list");
    const digests = this.#manifestsOfIndex();
    return list.map(({ Config = "", RepoTags, Layers = [] }) => ({
      config: posix.normalize(Config),
      layers: Layers.map((layer) => posix.normalize(layer)),
      names: (RepoTags ?? []).map((tag) => nameOf(tag)).filter((name) => name !== undefined),
      manifest: digests.get(posix.basename(Config, ".json")),
    }));
  }

  /** The manifests of the layout beside manifest.json, by the hex digest of their configuration. */
  #manifestsOfIndex(): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    const index = this.#small.get("index.json");
    if (index === undefined) return found;
    try {
      for (const { config, manifest } of this.#fromIndex(index, 0))
        if (manifest !== undefined) found.set(posix.basename(config), manifest);
    } catch {
      // Older archives have an index that names nothing of use; manifest.json is enough.
    }
    return found;
  }

  #fromIndex(bytes: Buffer, depth: number): Wanted[] {
    if (depth > 3) throw new EngineError("invalid", "the archive's indexes are nested too deeply");
    const { parsed } = parseManifest(bytes, MEDIA.ociIndex);
    return (parsed as Index).manifests.flatMap((descriptor) => {
      const inner = this.#small.get(blobName(descriptor.digest));
      if (inner === undefined || descriptor.annotations?.["vnd.docker.reference.type"] !== undefined)
        return [];
      if (digestOf(inner) !== descriptor.digest)
        throw new EngineError("invalid", `${descriptor.digest} has another digest`);
      const { parsed: manifest } = parseManifest(inner, descriptor.mediaType);
      if (manifest.kind === "index") return this.#fromIndex(inner, depth + 1);
      const { config, layers } = manifest as Manifest;
      const { "io.containerd.image.name": full, "org.opencontainers.image.ref.name": ref } =
        descriptor.annotations ?? {};
      const name = nameOf(full ?? ref ?? "");
      return [
        {
          config: blobName(config.digest),
          layers: layers.map(({ digest }) => blobName(digest)),
          names: name === undefined ? [] : [name],
          manifest: inner,
        },
      ];
    });
  }

  async #loadImage({ config, layers, names, manifest }: Wanted): Promise<string> {
    const bytes = this.#small.get(this.#target(config));
    if (bytes === undefined) throw new EngineError("invalid", `the archive lacks ${config}`);
    const diffIds = checkConfig(bytes, layers);
    this.#lease.hold(digestOf(bytes), ...diffIds);
    for (const [at, layer] of layers.entries()) await this.#commit(this.#target(layer), diffIds[at] ?? "");
    const id = await this.#store.add(bytes);
    if (manifest !== undefined)
      await this.#store.add(bytes, { manifest: await this.#store.blobs.put(manifest) });
    for (const name of names) {
      this.#store.setName(name, id);
      this.#progress({ stream: `Loaded image: ${familiar(name)}\n` });
    }
    if (names.length === 0) this.#progress({ stream: `Loaded image ID: ${id}\n` });
    return id;
  }

  #target(name: string): string {
    let at = name;
    for (let hops = 0; this.#links.has(at) && hops < 8; hops++) at = this.#links.get(at) as string;
    return at;
  }

  async #commit(name: string, diffId: string): Promise<void> {
    const { layers } = this.#store;
    if (layers.has(diffId)) return;
    const small = this.#small.get(name);
    if (small !== undefined) {
      const { stream, compression } = await decompress(Readable.from([small]));
      const digest = await this.#store.blobs.put(small);
      const mediaType = compression === "none" ? MEDIA.ociLayer : `${MEDIA.ociLayer}+${compression}`;
      await layers.unpack(stream, diffId, [{ digest, size: small.length, mediaType }]);
      return;
    }
    const met = this.#layers.get(name);
    if (met === undefined) throw new EngineError("invalid", `the archive lacks the layer ${name}`);
    if (met.diffId !== diffId)
      throw new EngineError(
        "invalid",
        `the layer ${name} unpacks to ${met.diffId}, its image says ${diffId}`,
      );
    this.#layers.delete(name);
    this.#kept.delete(met.blob.digest);
    await layers.commit(met.staging, diffId, {
      size: met.size,
      archiveSize: met.archiveSize,
      blobs: [met.blob],
    });
  }

  /** Takes away what no image of the archive wanted. */
  async clean(): Promise<void> {
    for (const { staging } of this.#layers.values()) await this.#store.layers.discard(staging);
    for (const digest of this.#kept) await this.#store.blobs.remove(digest);
  }
}

/** Passes an entry's content on, and writes it to a file. */
async function* keeping(
  entry: TarEntry,
  path: string,
  hash: ReturnType<typeof createHash>,
  lines: ItemProgress,
): AsyncGenerator<Buffer> {
  const file = await open(path, "wx", 0o600);
  let done = 0;
  try {
    for await (const chunk of entry.content()) {
      hash.update(chunk);
      await file.write(chunk);
      done += chunk.length;
      lines.amount("Loading layer", done, entry.size);
      yield chunk;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function nameOf(text: string): Reference | undefined {
  const reference = tryParseReference(text);
  return reference === undefined || reference.digest !== undefined ? undefined : withDefaultTag(reference);
}

function parseJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new EngineError("invalid", `${name} is no JSON`, { cause });
  }
}
