import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "../../../store/records.ts";
import { digestOf } from "../../digest.ts";
import { parseReference, tryParseReference, withDefaultTag } from "../../reference.ts";
import type { ImageStore } from "../../store.ts";
import { type Descriptor, parseManifest } from "../manifest.ts";
import { packLayer } from "../pack.ts";
import { manifestOf } from "../push.ts";

interface Repository {
  readonly tags: Record<string, string>; // tag → digest
  readonly manifests: Record<string, string>; // digest → media type
}

export interface StoredManifest {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly mediaType: string;
}

/**
 * What was pushed to us: names of manifests whose bytes, like all they name, are blobs of the image store. The engine's
 * own images can be pulled, too, under their names.
 */
export class Repositories {
  readonly #store: ImageStore;
  readonly #path: string;
  readonly #all: Map<string, Repository>;

  private constructor(store: ImageStore, path: string, all: Map<string, Repository>) {
    this.#store = store;
    this.#path = path;
    this.#all = all;
  }

  static async open(store: ImageStore): Promise<Repositories> {
    const path = join(store.paths.dataRoot, "registry.json");
    const text = await readFile(path, "utf8").catch(() => "{}");
    return new Repositories(
      store,
      path,
      new Map(Object.entries(JSON.parse(text) as Record<string, Repository>)),
    );
  }

  /** Digests that must stay while they are named here. */
  *roots(): Generator<string> {
    for (const { manifests } of this.#all.values()) {
      for (const digest of Object.keys(manifests)) {
        yield digest;
        for (const child of this.#children(digest)) yield child.digest;
      }
    }
  }

  #children(digest: string): readonly Descriptor[] {
    try {
      const { parsed } = parseManifest(this.#store.blobs.readNow(digest), "");
      return parsed.kind === "index" ? parsed.manifests : [parsed.config, ...parsed.layers];
    } catch {
      return [];
    }
  }

  names(): string[] {
    const own = [...this.#store.catalog.names()]
      .map(([name]) => parseReference(name))
      .filter(({ domain, tag }) => domain === "docker.io" && tag !== undefined)
      .map(({ path }) => path.replace(/^library\//, ""));
    return [...new Set([...this.#all.keys(), ...own])].sort();
  }

  tags(name: string): string[] | undefined {
    const pushed = Object.keys(this.#all.get(name)?.tags ?? {});
    const wanted = tryParseReference(name);
    const own = [...this.#store.catalog.names()]
      .map(([full]) => parseReference(full))
      .filter(
        ({ domain, path, tag }) => tag !== undefined && domain === wanted?.domain && path === wanted.path,
      )
      .map(({ tag }) => tag as string);
    const tags = [...new Set([...pushed, ...own])].sort();
    return tags.length === 0 ? undefined : tags;
  }

  async find(name: string, reference: string): Promise<StoredManifest | undefined> {
    const repository = this.#all.get(name);
    const digest = reference.startsWith("sha256:") ? reference : repository?.tags[reference];
    const mediaType = digest === undefined ? undefined : repository?.manifests[digest];
    if (digest !== undefined && mediaType !== undefined) {
      return { bytes: this.#store.blobs.readNow(digest), digest, mediaType };
    }
    return this.#ownImage(name, reference);
  }

  /** An image of the engine: its layers are packed when somebody wants it for the first time. */
  async #ownImage(name: string, reference: string): Promise<StoredManifest | undefined> {
    const parsed = tryParseReference(name);
    if (parsed === undefined) return undefined;
    if (reference.startsWith("sha256:")) return this.#ownManifest(reference);
    const id = this.#store.idOfName(withDefaultTag({ ...parsed, tag: reference }));
    const image = id === undefined ? undefined : this.#store.get(id);
    if (image === undefined) return undefined;
    const blobs = new Map();
    for (const diffId of image.layers) {
      const known = this.#store.catalog.layers.get(diffId)?.blobs[0];
      blobs.set(diffId, known ?? (await packLayer(this.#store, diffId)));
    }
    const { bytes, mediaType } = manifestOf(this.#store, image, blobs);
    const digest = digestOf(bytes);
    await this.#store.blobs.put(bytes);
    await this.#store.add(this.#store.configBytes(image.id), { manifest: digest });
    await this.#store.catalog.save();
    return { bytes, digest, mediaType };
  }

  #ownManifest(digest: string): StoredManifest | undefined {
    for (const { manifests } of this.#store.catalog.images.values()) {
      if (!manifests.includes(digest)) continue;
      const bytes = this.#store.blobs.readNow(digest);
      return { bytes, digest, mediaType: parseManifest(bytes, "").parsed.mediaType };
    }
    return undefined;
  }

  /** @throws {EngineError} invalid for a manifest that is none; Error with `missing` for one whose blobs are not here */
  async put(name: string, reference: string, bytes: Buffer, mediaType: string): Promise<string> {
    const { parsed, digest } = parseManifest(bytes, mediaType);
    const children = parsed.kind === "index" ? parsed.manifests : [parsed.config, ...parsed.layers];
    for (const child of children) {
      const isHere = (await this.#store.blobs.has(child.digest)) || this.#store.layers.has(child.digest);
      // What may not be passed on is fetched from where it says.
      const isForeign = /foreign|nondistributable/.test(child.mediaType) && (child.urls ?? []).length > 0;
      if (!isHere && !isForeign) throw new MissingBlob(child.digest);
    }
    await this.#store.blobs.put(bytes);
    const known = this.#all.get(name) ?? { tags: {}, manifests: {} };
    const tags = reference.startsWith("sha256:") ? known.tags : { ...known.tags, [reference]: digest };
    this.#all.set(name, { tags, manifests: { ...known.manifests, [digest]: parsed.mediaType || mediaType } });
    await this.#save();
    return digest;
  }

  /** Takes a tag, or a manifest with all its tags, away. @returns whether it was there */
  async remove(name: string, reference: string): Promise<boolean> {
    const known = this.#all.get(name);
    if (known === undefined) return false;
    const isDigest = reference.startsWith("sha256:");
    const there = isDigest ? known.manifests[reference] !== undefined : known.tags[reference] !== undefined;
    const tags = Object.entries(known.tags).filter(
      ([tag, digest]) => (isDigest ? digest : tag) !== reference,
    );
    const manifests = Object.entries(known.manifests).filter(([digest]) => digest !== reference);
    this.#all.set(name, { tags: Object.fromEntries(tags), manifests: Object.fromEntries(manifests) });
    await this.#save();
    return there;
  }

  async #save(): Promise<void> {
    await writeDurably(this.#path, `${JSON.stringify(Object.fromEntries(this.#all))}\n`);
  }
}

/** A manifest names a blob that was not sent. */
export class MissingBlob extends Error {
  override readonly name = "MissingBlob";
  readonly digest: string;

  constructor(digest: string) {
    super(`blob unknown to registry: ${digest}`);
    this.digest = digest;
  }
}
