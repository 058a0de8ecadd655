import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../store/records.ts";

/** What the store knows of an image besides its configuration, which is a blob. */
export interface ImageRecord {
  readonly layers: readonly string[]; // diffIds, bottom first
  readonly parent: string; // image id or ""
  readonly created: string;
  readonly lastTagged: string;
  /** The manifests it came with or was pushed as, newest first: their bytes are blobs. */
  readonly manifests: readonly string[];
  /** Removed by force under a container: no longer listed or found, kept until that container goes. */
  readonly ghost?: boolean;
}

export interface BlobDescriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
}

export interface LayerRecord {
  readonly size: number; // bytes of regular files, unpacked
  readonly archiveSize: number; // bytes as an uncompressed archive
  /** Bytes that its directory takes; found out when somebody asks. */
  readonly disk?: number;
  /** The same layer as it travels: what was pulled, or made for a push. */
  readonly blobs: readonly BlobDescriptor[];
  /** Its archive is made again by a recipe that lies beside its files. */
  readonly recipe?: true;
}

interface CatalogFile {
  readonly version: 1;
  readonly images: Record<string, ImageRecord>;
  readonly layers: Record<string, LayerRecord>;
  readonly names: Record<string, string>; // full reference → image id
}

/**
 * Which images, layers and names there are: one file, so that a store of a thousand images opens in milliseconds and
 * a name and its image change together or not at all.
 */
export class Catalog {
  readonly #path: string;
  readonly images: Map<string, ImageRecord>;
  readonly layers: Map<string, LayerRecord>;
  readonly #names: Map<string, string>;
  readonly #namesOf = new Map<string, Set<string>>();
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(path: string, file: CatalogFile) {
    this.#path = path;
    this.images = new Map(Object.entries(file.images));
    this.layers = new Map(Object.entries(file.layers));
    this.#names = new Map();
    for (const [name, id] of Object.entries(file.names)) {
      if (this.images.has(id)) this.setName(name, id);
    }
  }

  /** @param damaged is told of a file that cannot be read; it is set aside and the store opens empty */
  static open(directory: string, damaged: (path: string, cause: unknown) => void): Catalog {
    const path = join(directory, "catalog.json");
    try {
      return new Catalog(path, JSON.parse(readFileSync(path, "utf8")) as CatalogFile);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
        renameSync(path, `${path}.damaged`);
        damaged(`${path}.damaged`, cause);
      }
      return new Catalog(path, { version: 1, images: {}, layers: {}, names: {} });
    }
  }

  nameTarget(name: string): string | undefined {
    return this.#names.get(name);
  }

  namesOf(id: string): string[] {
    return [...(this.#namesOf.get(id) ?? [])].sort();
  }

  names(): IterableIterator<[string, string]> {
    return this.#names.entries();
  }

  setName(name: string, id: string): void {
    this.dropName(name);
    this.#names.set(name, id);
    const names = this.#namesOf.get(id) ?? new Set();
    this.#namesOf.set(id, names.add(name));
  }

  dropName(name: string): void {
    const id = this.#names.get(name);
    if (id === undefined) return;
    this.#names.delete(name);
    this.#namesOf.get(id)?.delete(name);
  }

  /** Resolves when every change made before the call is on disk; calls that come during a write share the next one. */
  async save(): Promise<void> {
    if (this.#writing === undefined) {
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
      });
      return this.#writing;
    }
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.save();
      });
    return this.#next;
  }

  async #write(): Promise<void> {
    const file: CatalogFile = {
      version: 1,
      images: Object.fromEntries(this.images),
      layers: Object.fromEntries(this.layers),
      names: Object.fromEntries(this.#names),
    };
    await writeDurably(this.#path, `${JSON.stringify(file)}\n`);
  }
}
