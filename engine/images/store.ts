import type { Log } from "../log.ts";
import type { Workers } from "../native/workers.ts";
import type { Paths } from "../store/paths.ts";
import { Blobs } from "./blobs.ts";
import { Catalog } from "./catalog.ts";
import type { ImageRecord } from "./catalog-file.ts";
import { digestOf } from "./digest.ts";
import { Layers } from "./layers.ts";
import {
  familiar,
  familiarName,
  full,
  parseReference,
  type Reference,
  tryParseReference,
  withDefaultTag,
} from "./reference.ts";
import { Trash } from "./trash.ts";
import type { Image, ImageConfig } from "./types.ts";

export interface StoreDeps {
  readonly paths: Paths;
  readonly workers: Workers;
  readonly log: Log;
}

export interface NewImage {
  readonly parent?: string;
  /** Bytes of the manifest it came with. */
  readonly manifest?: string;
}

const UNIQUE_PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/** Blobs, layers, images and their names, as they are on disk. What may be done with them is said in images.ts. */
export class ImageStore {
  readonly catalog: Catalog;
  readonly blobs: Blobs;
  readonly layers: Layers;
  readonly workers: Workers;
  readonly paths: Paths;
  readonly log: Log;
  readonly trash: Trash;
  readonly #configs = new Map<string, ImageConfig>();

  private constructor(deps: StoreDeps, catalog: Catalog) {
    this.catalog = catalog;
    this.workers = deps.workers;
    this.paths = deps.paths;
    this.log = deps.log;
    this.trash = new Trash(deps.paths.trash, deps.workers);
    this.blobs = new Blobs(deps.paths.blobs, deps.paths.ingest);
    this.layers = new Layers(deps.paths, catalog, this.blobs, deps.workers, this.trash);
  }

  /**
   * Opens the store and makes good what a crash left: half layers go, an image whose layers are lost is dropped, and said.
   *
   * Files are read at once, not in turns of the thread pool: nothing else can go on yet.
   */
  static async open(deps: StoreDeps): Promise<ImageStore> {
    const { log, paths } = deps;
    const catalog = Catalog.open(paths.images, (path, cause) => {
      log.error("the catalog of images was unreadable and is set aside", { path, cause: String(cause) });
    });
    const store = new ImageStore(deps, catalog);
    const lost = await store.layers.reconcile();
    for (const [id, record] of catalog.images) {
      if (record.layers.every((diffId) => catalog.layers.has(diffId))) continue;
      log.error("an image lost a layer and is dropped", { id });
      store.drop(id);
    }
    if (lost.length > 0) await catalog.save();
    store.blobs.clean();
    // A matter of speed alone: nobody waits for it.
    deps.workers.spread({ kind: "dir", path: paths.dataRoot }, "layers").catch(() => {});
    void store.trash.empty();
    return store;
  }

  /** By its full id, also one that was removed under a container. */
  get(id: string): Image | undefined {
    const record = this.catalog.images.get(id);
    return record === undefined ? undefined : this.#image(id, record);
  }

  all(): Image[] {
    return [...this.catalog.images]
      .filter(([, record]) => record.ghost !== true)
      .map(([id, record]) => this.#image(id, record));
  }

  /**
   * Finds an image by what people write: a name, a name with digest, an id, or a unique beginning of an id. A name goes
   * before an id that looks the same.
   */
  resolve(text: string): Image | undefined {
    const id = this.resolveId(text);
    return id === undefined ? undefined : this.get(id);
  }

  resolveId(text: string): string | undefined {
    if (this.catalog.images.has(text)) return text;
    const reference = tryParseReference(text);
    const named = reference === undefined ? undefined : this.idOfName(reference);
    return named ?? this.#idByPrefix(text);
  }

  idOfName(reference: Reference): string | undefined {
    const { digest } = reference;
    if (digest === undefined) return this.catalog.nameTarget(full(withDefaultTag(reference)));
    // A tag beside a digest is for people: the digest decides.
    const byDigest = this.catalog.nameTarget(full({ ...reference, tag: undefined }));
    return byDigest ?? (this.#isOf(digest, reference) ? digest : undefined);
  }

  /** `name@sha256:<image id>` also means the image, if it has a name in that repository. */
  #isOf(id: string, { domain, path }: Reference): boolean {
    return this.catalog.namesOf(id).some((name) => {
      const own = parseReference(name);
      return own.domain === domain && own.path === path;
    });
  }

  #idByPrefix(text: string): string | undefined {
    const prefix = UNIQUE_PREFIX.exec(text)?.[1];
    if (prefix === undefined) return undefined;
    let found: string | undefined;
    for (const [id, record] of this.catalog.images) {
      if (record.ghost === true || !id.startsWith(prefix, "sha256:".length)) continue;
      if (found !== undefined) return undefined;
      found = id;
    }
    return found;
  }

  /** The exact bytes an image's id is the digest of. */
  configBytes(id: string): Buffer {
    return this.blobs.readNow(id);
  }

  config(id: string): ImageConfig {
    let config = this.#configs.get(id);
    if (config === undefined) {
      config = JSON.parse(this.configBytes(id).toString("utf8")) as ImageConfig;
      this.#configs.set(id, config);
    }
    return config;
  }

  /** Adds an image whose layers are all here; in memory at once, on disk with `catalog.save()`. @returns its id */
  async add(configBytes: Uint8Array, more: NewImage = {}): Promise<string> {
    const id = digestOf(configBytes);
    await this.blobs.put(configBytes);
    const config = JSON.parse(Buffer.from(configBytes).toString("utf8")) as ImageConfig;
    const known = this.catalog.images.get(id);
    const manifests = [
      ...new Set([...(more.manifest === undefined ? [] : [more.manifest]), ...(known?.manifests ?? [])]),
    ];
    this.catalog.images.set(id, {
      layers: config.rootfs.diff_ids,
      parent: known?.parent || more.parent || "",
      created: config.created ?? "",
      lastTagged: known?.lastTagged ?? "",
      manifests,
    });
    return id;
  }

  /** @param isTagging somebody gave the name; one that came with the image leaves no trace, as dockerd has it */
  setName(reference: Reference, id: string, isTagging = true): void {
    this.catalog.setName(full(reference), id);
    if (!isTagging) return;
    const record = this.catalog.images.get(id);
    if (record !== undefined)
      this.catalog.images.set(id, { ...record, lastTagged: new Date().toISOString() });
  }

  /** Forgets an image and its names; its layers and blobs are the sweep's. */
  drop(id: string): void {
    for (const name of this.catalog.namesOf(id)) this.catalog.dropName(name);
    this.catalog.images.delete(id);
    this.#configs.delete(id);
  }

  /** Forgets an image as far as anybody asks; what a container runs on stays. */
  hide(id: string): void {
    const record = this.catalog.images.get(id);
    for (const name of this.catalog.namesOf(id)) this.catalog.dropName(name);
    if (record !== undefined) this.catalog.images.set(id, { ...record, ghost: true });
  }

  #image(id: string, record: ImageRecord): Image {
    const store = this;
    const names = this.catalog.namesOf(id).map(parseReference);
    return {
      id,
      get config() {
        return store.config(id);
      },
      layers: record.layers,
      size: record.layers.reduce((sum, diffId) => sum + (this.catalog.layers.get(diffId)?.size ?? 0), 0),
      created: record.created,
      repoTags: names.filter(({ digest }) => digest === undefined).map(familiar),
      repoDigests: names
        .filter(({ digest }) => digest !== undefined)
        .map((name) => `${familiarName(name)}@${name.digest}`),
      lastTagged: record.lastTagged,
      parent: record.parent,
    };
  }
}
