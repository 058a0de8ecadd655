import { posix } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import { decompress } from "../decompress.ts";
import { digestOf } from "../digest.ts";
import type { Lease } from "../leases.ts";
import { ItemProgress, shortId } from "../progress.ts";
import { familiar, type Reference } from "../reference.ts";
import { checkConfig } from "../registry/pull.ts";
import type { ImageStore } from "../store.ts";
import type { Progress } from "../types.ts";
import { type Arrived, commitLayer, discardLayer, receiveLayer } from "./arrival.ts";
import { imagesOf, type Wanted } from "./contents.ts";
import { readTar, type TarEntry } from "./tar-reader.ts";

/** Entries up to this size are kept in memory: manifests and configurations are, layers seldom. */
const SMALL = 1 << 20;
/** Of all small entries together. */
const SMALL_TOTAL = 64 << 20;

/**
 * Loads every image of an archive: Docker's, or an OCI layout; compressed or not. Layers are unpacked as they pass,
 * whatever order the entries have.
 *
 * A layer's packed form is kept only if a manifest names it, so that the image can be pushed as it was; an archive
 * that is not compressed is made again from the files when somebody asks for it.
 *
 * @param options.named give the images the names that the archive says; default true
 * @throws {EngineError} invalid; nothing of the archive is left then
 */
export async function load(
  store: ImageStore,
  lease: Lease,
  source: Readable,
  progress: Progress,
  options: { readonly named?: boolean } = {},
): Promise<Loaded[]> {
  const { stream } = await decompress(source);
  const loader = new Loader(store, lease, progress, options.named !== false);
  try {
    for await (const entry of readTar(stream)) await loader.take(entry);
    return await loader.finish();
  } finally {
    await loader.clean();
    stream.destroy();
  }
}

export interface Loaded {
  readonly id: string;
  /** What the archive calls it. */
  readonly names: readonly Reference[];
}

class Loader {
  readonly #store: ImageStore;
  readonly #lease: Lease;
  readonly #progress: Progress;
  readonly #small = new Map<string, Buffer>();
  readonly #layers = new Map<string, Arrived>();
  readonly #links = new Map<string, string>();
  readonly #named: boolean;
  #smallTotal = 0;

  constructor(store: ImageStore, lease: Lease, progress: Progress, named: boolean) {
    this.#named = named;
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

  async #takeLayer(name: string, entry: TarEntry): Promise<void> {
    if (this.#isKnown(name)) return;
    const again = this.#layers.get(name);
    if (again !== undefined) await discardLayer(this.#store, again);
    const lines = new ItemProgress(this.#progress, shortId(posix.basename(name, ".tar")));
    this.#layers.set(name, await receiveLayer(this.#store, entry.content(), entry.size, lines));
  }

  /** By the name of the entry, which is its digest in newer archives; the image's configuration decides in the end. */
  #isKnown(name: string): boolean {
    const hex = /(?:^|\/)([0-9a-f]{64})$/.exec(name)?.[1];
    if (hex === undefined) return false;
    const digest = `sha256:${hex}`;
    const { layers, catalog } = this.#store;
    const isPackedHere = [...catalog.layers].find(([, { blobs }]) =>
      blobs.some((blob) => blob.digest === digest),
    );
    const diffId = layers.has(digest) ? digest : isPackedHere?.[0];
    if (diffId !== undefined) this.#lease.hold(diffId);
    return diffId !== undefined;
  }

  async finish(): Promise<Loaded[]> {
    const images = imagesOf(this.#small);
    const named = new Set(images.flatMap(({ blobs }) => [...blobs]));
    // The layers of all first: an archive of which one image is broken gives none.
    const configs: Buffer[] = [];
    for (const image of images) configs.push(await this.#takeImage(image, (digest) => named.has(digest)));
    const loaded: Loaded[] = [];
    for (const [at, image] of images.entries())
      loaded.push({ id: await this.#add(configs[at] as Buffer, image), names: image.names });
    await this.#store.catalog.save();
    return loaded;
  }

  /** @returns its configuration */
  async #takeImage({ config, layers }: Wanted, isNamed: (digest: string) => boolean): Promise<Buffer> {
    const bytes = this.#small.get(this.#target(config));
    if (bytes === undefined) throw new EngineError("invalid", `the archive lacks ${config}`);
    const diffIds = checkConfig(bytes, layers);
    this.#lease.hold(digestOf(bytes), ...diffIds);
    for (const [at, layer] of layers.entries())
      await this.#commit(this.#target(layer), diffIds[at] ?? "", isNamed);
    return bytes;
  }

  async #add(config: Buffer, { names, manifest }: Wanted): Promise<string> {
    const id = await this.#store.add(config);
    if (manifest !== undefined)
      await this.#store.add(config, { manifest: await this.#store.blobs.put(manifest) });
    if (!this.#named) return id;
    for (const name of names) {
      const before = this.#store.idOfName(name);
      if (before !== undefined && before !== id)
        this.#progress({
          stream: `The image ${familiar(name)} already exists, renaming the old one with ID ${before} to empty string\n`,
        });
      this.#store.setName(name, id, false);
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

  async #commit(name: string, diffId: string, isNamed: (digest: string) => boolean): Promise<void> {
    if (this.#store.layers.has(diffId)) return;
    const small = this.#small.get(name);
    if (small !== undefined) {
      const lines = new ItemProgress(() => {}, "");
      this.#layers.set(name, await receiveLayer(this.#store, single(small), small.length, lines));
    }
    const arrived = this.#layers.get(name);
    if (arrived === undefined) throw new EngineError("invalid", `the archive lacks the layer ${name}`);
    const { digest } = arrived.filled;
    if (digest !== diffId)
      throw new EngineError("invalid", `the layer ${name} unpacks to ${digest}, its image says ${diffId}`);
    this.#layers.delete(name);
    await commitLayer(this.#store, arrived, isNamed);
  }

  /** Takes away what no image of the archive wanted. */
  async clean(): Promise<void> {
    for (const layer of this.#layers.values()) await discardLayer(this.#store, layer);
  }
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
