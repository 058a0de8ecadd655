import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../store/records.ts";
import {
  type CatalogContent,
  formatCatalog,
  type ImageRecord,
  type LayerRecord,
  parseCatalog,
} from "./catalog-file.ts";

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

  private constructor(path: string, { images, layers, names }: CatalogContent) {
    this.#path = path;
    this.images = images;
    this.layers = layers;
    this.#names = new Map();
    for (const [name, id] of names) if (images.has(id)) this.setName(name, id);
  }

  /** @param damaged is told of a file that cannot be read; it is set aside and the store opens empty */
  static open(directory: string, damaged: (path: string, cause: unknown) => void): Catalog {
    const path = join(directory, "catalog.json");
    try {
      return new Catalog(path, parseCatalog(readFileSync(path, "utf8")));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
        renameSync(path, `${path}.damaged`);
        damaged(`${path}.damaged`, cause);
      }
      return new Catalog(path, { images: new Map(), layers: new Map(), names: new Map() });
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
    const content = { images: this.images, layers: this.layers, names: this.#names };
    await writeDurably(this.#path, formatCatalog(content));
  }
}
