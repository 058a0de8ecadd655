/**
 * Images: what the rest of the engine may do with them. The store beneath (store.ts) knows files and records; what is
 * more than a look-up has a module of its own.
 */
import { join } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "../errors.ts";
import type { Events } from "../events.ts";
import type { Filters } from "../filters.ts";
import { Serial } from "../store/serial.ts";
import { load } from "./archive/load.ts";
import { save } from "./archive/save.ts";
import { type Bootstrapped, bootstrap, bootstrapKey, type StepRunner } from "./bootstrap/bootstrap.ts";
import type { BootstrapOptions } from "./bootstrap/plan.ts";
import { type CreateImageOptions, createImage } from "./create.ts";
import { type HistoryLine, historyOf } from "./history.ts";
import { type ImportOptions, importImage } from "./import.ts";
import type { LayerIdentity } from "./layers.ts";
import { type Lease, Leases, type Roots } from "./leases.ts";
import { type Pruned, pruneImages } from "./prune.ts";
import {
  familiar,
  familiarName,
  full,
  fullName,
  parseReference,
  type Reference,
  withDefaultTag,
} from "./reference.ts";
import { ManifestLists } from "./registry/lists.ts";
import type { RawManifest } from "./registry/manifest.ts";
import { type Pulled, type PullOptions, pull, pullAll } from "./registry/pull.ts";
import { push } from "./registry/push.ts";
import { imagesToPush } from "./registry/push-names.ts";
import { type SearchOptions, type SearchResult, searchRegistry } from "./registry/search.ts";
import { Repositories } from "./registry/serve/repositories.ts";
import { type Service, type ServiceOptions, serveRegistry } from "./registry/serve/service.ts";
import { RegistrySession } from "./registry/session.ts";
import type { RegistrySettings } from "./registry/settings.ts";
import { Transport } from "./registry/transport.ts";
import { type ImageUser, notFound, type Removed, type RemoveOptions, removeImage } from "./remove.ts";
import { sourceFor } from "./sources/source.ts";
import { take } from "./sources/take.ts";
import { ImageStore, type StoreDeps } from "./store.ts";
import { type Swept, sweep } from "./sweep.ts";
import type { Image, ImageConfig, Layer, Progress, RegistryAuth } from "./types.ts";
import { type DiskUsage, diskUsage } from "./usage.ts";
import { type Verified, verifyStore } from "./verify.ts";

export interface ImagesDeps extends StoreDeps {
  readonly events: Events;
  readonly registries: RegistrySettings;
  /** Milliseconds that a registry may be silent. */
  readonly silence?: number;
}

export interface RegistryOptions {
  readonly auth?: RegistryAuth;
  readonly signal?: AbortSignal;
}

export interface RemotePullOptions extends RegistryOptions, PullOptions {
  /** Every tag that the registry has of the repository; the name is one without. */
  readonly allTags?: boolean;
}

export class Images {
  readonly store: ImageStore;
  readonly leases = new Leases();
  readonly transport: Transport;
  readonly lists: ManifestLists;
  readonly #events: Events;
  readonly #repositories: Repositories;
  readonly #sources: RegistrySettings["sources"];
  readonly #serial = new Serial();
  #users: () => Iterable<ImageUser> = () => [];
  #runner: StepRunner | undefined;

  private constructor(
    store: ImageStore,
    events: Events,
    transport: Transport,
    repositories: Repositories,
    lists: ManifestLists,
    sources: RegistrySettings["sources"],
  ) {
    this.#sources = sources;
    this.store = store;
    this.lists = lists;
    this.#repositories = repositories;
    // What was pushed to us stays, whether it is served just now or not.
    this.leases.addRoots(() => repositories.roots());
    this.transport = transport;
    this.#events = events;
  }

  static async open(deps: ImagesDeps): Promise<Images> {
    const transport = new Transport(deps.registries, process.env, deps.silence);
    const store = await ImageStore.open(deps);
    const lists = await ManifestLists.open(join(deps.paths.dataRoot, "manifests"), transport);
    const repositories = await Repositories.open(store);
    return new Images(store, deps.events, transport, repositories, lists, deps.registries.sources);
  }

  /** Finds an image by name, id or unique beginning of an id. */
  resolve(text: string): Image | undefined {
    return this.store.resolve(text);
  }

  /** @throws {EngineError} notFound, "No such image: x:latest" */
  get(text: string): Image {
    const image = this.resolve(text);
    if (image === undefined) throw notFound(text);
    return image;
  }

  list(): Image[] {
    return this.store.all();
  }

  /** The image's layers as directories, top first, as overlayfs wants them. */
  layerDirs(image: Pick<Image, "layers">): string[] {
    return image.layers.map((diffId) => this.store.layers.directory(diffId)).reverse();
  }

  layerDir(diffId: string): string {
    return this.store.layers.directory(diffId);
  }

  layer(diffId: string): Layer | undefined {
    return this.store.layers.get(diffId);
  }

  /** What a directory would be as a layer; nothing may change in it afterwards. A build can go on meanwhile. */
  identifyLayer(directory: string): Promise<LayerIdentity> {
    return this.store.layers.identify(directory);
  }

  /** Makes a directory, such as a build step's upper one, a layer: it is moved into the store. Hold it by a lease. */
  async adoptLayer(directory: string, identity?: LayerIdentity): Promise<Layer> {
    const layer = await this.store.layers.adopt(directory, identity);
    await this.store.catalog.save();
    return layer;
  }

  /** A layer as an uncompressed archive; its digest is the diffId. */
  packLayer(diffId: string): Promise<Readable> {
    return this.store.layers.pack(diffId);
  }

  /** Takes a layer in. Hold it by a lease. @throws {EngineError} invalid unless the archive is the one that is expected */
  async unpackLayer(archive: Readable, diffId: string): Promise<Layer> {
    const layer = await this.store.layers.unpack(archive, diffId);
    await this.store.catalog.save();
    return layer;
  }

  /**
   * Adds an image whose layers are in the store. `config.rootfs` is filled from `diffIds` (bottom first).
   *
   * @throws {EngineError} invalid for a bad name
   */
  async createImage(
    config: Omit<ImageConfig, "rootfs">,
    diffIds: readonly string[],
    options: CreateImageOptions = {},
  ): Promise<Image> {
    const { id, named } = await createImage(this.store, config, diffIds, options);
    for (const reference of named) this.#emit("tag", id, familiar(reference));
    return this.get(id);
  }

  async import(archive: Readable, options: ImportOptions = {}): Promise<Image> {
    await using lease = this.lease();
    const id = await importImage(this.store, lease, archive, options);
    const { reference } = options;
    this.#emit("import", id, reference === undefined ? id : familiar(withDefaultTag(reference)));
    return this.get(id);
  }

  /**
   * Makes a base image from the packages that the machine's apt reaches: `busybox`, `debian:bookworm-slim`, …; does
   * nothing if it is there.
   */
  async bootstrap(name: string, options: BootstrapOptions, progress: Progress): Promise<Bootstrapped> {
    const runner = this.#runner;
    if (runner === undefined) throw new EngineError("unavailable", "containers cannot be run");
    return this.#serial.run(bootstrapKey(name), async () => {
      const { signal } = options;
      await using lease = this.lease();
      const deps = { store: this.store, lease, runner, progress, ...(signal && { signal }) };
      const done = await bootstrap(name, options, deps);
      if (done.fresh) this.#emit("bootstrap", done.id, name);
      return done;
    });
  }

  /**
   * Pulls an image from its registry, or from where the settings say that it comes from; callers that want the same at
   * the same time share the work.
   *
   * @throws {EngineError} notFound, forbidden, unavailable, invalid
   */
  async pull(name: string, options: RemotePullOptions, progress: Progress): Promise<Pulled> {
    const parsed = parseReference(name);
    const reference = options.allTags ? parsed : withDefaultTag(parsed);
    const source = sourceFor(this.#sources, reference);
    if (source !== undefined) return this.take(name, source, options, progress);
    const { store } = this;
    const { signal } = options;
    await using lease = this.lease();
    const session = this.#session(reference, options);
    const deps = { store, session, lease, serial: this.#serial, progress, ...(signal && { signal }) };
    const pulled = await (options.allTags ? pullAll : pull)(
      reference,
      options.platform === undefined ? {} : { platform: options.platform },
      deps,
    );
    this.#emit("pull", familiar(reference), familiarName(reference));
    return pulled;
  }

  /**
   * Gets an image from somewhere else than a registry.
   *
   * @param source as `parseSource` reads it @throws {EngineError} notFound, invalid, unavailable
   */
  async take(
    name: string,
    source: string,
    { signal }: Pick<RegistryOptions, "signal">,
    progress: Progress,
  ): Promise<Pulled> {
    const reference = withDefaultTag(parseReference(name));
    const { store } = this;
    return this.#serial.run(`take ${full(reference)}`, async () => {
      await using lease = this.lease();
      const taken = await take(reference, source, {
        ...{ store, lease, progress },
        bootstrap: (options) => this.bootstrap(name, { ...options, ...(signal && { signal }) }, progress),
      });
      this.#emit("pull", familiar(reference), familiarName(reference));
      return taken;
    });
  }

  /** Pushes one tag, or all of the repository that are here if `name` has none. @throws {EngineError} notFound, forbidden, … */
  async push(name: string, options: RegistryOptions, progress: Progress): Promise<void> {
    const asked = parseReference(name);
    const { store } = this;
    const { signal } = options;
    progress({ status: `The push refers to repository [${fullName(asked)}]` });
    await using lease = this.lease();
    for (const { reference, image } of imagesToPush(store, asked)) {
      lease.hold(image.id, ...image.layers);
      const session = this.#session(reference, options);
      await push(image, reference, { store, session, progress, ...(signal && { signal }) });
      this.#emit("push", familiar(reference), familiarName(reference));
    }
  }

  /** Finds repositories of a registry. @throws {EngineError} unavailable */
  search(term: string, options: SearchOptions): Promise<SearchResult[]> {
    return searchRegistry(this.transport, term, options);
  }

  /** What a registry says about a name, without pulling it. */
  async remoteManifest(
    name: string,
    options: RegistryOptions,
  ): Promise<RawManifest & { session: RegistrySession }> {
    const reference = withDefaultTag(parseReference(name));
    const session = this.#session(reference, options);
    const manifest = await session.manifest(reference.digest ?? reference.tag ?? "latest");
    return { ...manifest, session };
  }

  #session(reference: Reference, { auth, signal }: RegistryOptions): RegistrySession {
    return new RegistrySession(this.transport, reference, {
      ...(auth && { auth }),
      ...(signal && { signal }),
    });
  }

  /** What configures the packages of a bootstrap: the containers, when they are open. */
  setRunner(runner: StepRunner): void {
    this.#runner = runner;
  }

  /** Gives an image one more name. @throws {EngineError} notFound, invalid */
  async tag(text: string, name: string): Promise<void> {
    const reference = withDefaultTag(parseReference(name));
    const image = this.get(text);
    this.store.setName(reference, image.id);
    await this.store.catalog.save();
    this.#emit("tag", image.id, familiar(reference));
  }

  async remove(text: string, options: RemoveOptions = {}): Promise<Removed[]> {
    const { store, leases } = this;
    const image = this.get(text);
    const removed = await removeImage({ store, leases, users: () => this.#users() }, text, options);
    for (const step of removed) {
      if ("untagged" in step) this.#emit("untag", image.id, image.id);
      else if (step.deleted === image.id) this.#emit("delete", image.id, image.id);
    }
    return removed;
  }

  /** Removes layers and blobs that nobody refers to any more, such as those of a build cache that was pruned. */
  async sweep(): Promise<Swept> {
    return sweep(this.store, this.leases);
  }

  /** Removes what nobody uses. @throws {EngineError} invalid for an unknown filter */
  async prune(filters: Filters): Promise<Pruned> {
    const { store, leases } = this;
    const pruned = await pruneImages({ store, leases, users: () => this.#users() }, filters);
    for (const step of pruned.removed)
      if ("deleted" in step) this.#emit("delete", step.deleted, step.deleted);
    const attributes = { reclaimed: String(pruned.bytes) };
    this.#events.emit({ type: "image", action: "prune", actor: { id: "", attributes } });
    return pruned;
  }

  /** Serves the store as a registry, until it is closed. */
  serve(options: ServiceOptions): Promise<Service> {
    return serveRegistry(this.store, this.#repositories, this.leases, options);
  }

  /** Checks every digest and reference by reading the whole store, and makes good what it can if asked to. */
  verify(repair: boolean): Promise<Verified> {
    return this.#serial.run("verify", () => verifyStore(this.store, repair));
  }

  /** What the images take on disk. */
  usage(): Promise<DiskUsage> {
    const used = new Set([...this.#users()].map(({ imageId }) => imageId));
    return diskUsage(this.store, this.leases, used);
  }

  /** One archive of all these images. @throws {EngineError} notFound, before the stream begins */
  save(names: readonly string[]): Readable {
    const lease = this.lease();
    try {
      const archive = save(this.store, names, lease);
      archive.once("close", () => lease.release());
      for (const name of names) this.#emit("save", this.store.resolveId(name) ?? name, name);
      return archive;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** Loads the images of an archive. @throws {EngineError} invalid */
  async load(archive: Readable, progress: Progress): Promise<Image[]> {
    const lease = this.lease();
    try {
      const loaded = await load(this.store, lease, archive, progress);
      for (const { id } of loaded) this.#emit("load", id, id);
      return loaded.map(({ id }) => this.get(id));
    } catch (error) {
      // What was whole of an archive that is broken further on.
      lease.release();
      await this.sweep();
      throw error;
    } finally {
      lease.release();
    }
  }

  history(image: Image): HistoryLine[] {
    return historyOf(this.store, image);
  }

  /** Protects layers and images that work in progress needs. */
  lease(): Lease {
    return this.leases.take();
  }

  /** More digests (image ids, diffIds) that must stay, asked for whenever something is removed. */
  addRoots(roots: Roots): void {
    this.leases.addRoots(roots);
  }

  /** Tells which containers are made from images: one backend, at its opening. */
  setUsers(users: () => Iterable<ImageUser>): void {
    this.#users = users;
    this.leases.addRoots(function* () {
      for (const user of users()) yield user.imageId;
    });
  }

  #emit(action: string, id: string, name: string): void {
    const known = this.store.resolveId(id);
    const labels = known !== undefined ? (this.store.config(known).config?.Labels ?? {}) : {};
    this.#events.emit({ type: "image", action, actor: { id, attributes: { ...labels, name } } });
  }
}
