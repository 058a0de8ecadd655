/** Layers of a build: those in the store, and those that are on their way into it while later steps run on them. */
import { randomBytes } from "node:crypto";
import type { Images } from "../images/images.ts";
import type { Lease } from "../images/leases.ts";
import type { Layer } from "../images/types.ts";

export interface Snapshot {
  /** What keys of later steps hang on; a layer that is made anew has another one, whatever is in it. */
  readonly id: string;
  /** Waits until it is in the store. */
  layer(): Promise<Layer>;
  /** Its directory, which stays where it is until it is let go of. */
  borrow(): Promise<Borrowed>;
}

export interface Borrowed {
  readonly directory: string;
  release(): void;
}

/** diffIds of a base image are ids of their own. */
export class StoredSnapshot implements Snapshot {
  readonly id: string;
  readonly #layer: Layer;
  readonly #directory: string;

  constructor(id: string, layer: Layer, directory: string) {
    this.id = id;
    this.#layer = layer;
    this.#directory = directory;
  }

  async layer(): Promise<Layer> {
    return this.#layer;
  }

  async borrow(): Promise<Borrowed> {
    return { directory: this.#directory, release: () => {} };
  }
}

/** What a step just wrote. Its digest is made while the next step runs; then it is moved into the store. */
export class FreshSnapshot implements Snapshot {
  readonly id = randomBytes(16).toString("hex");
  readonly #directory: string;
  readonly #images: Images;
  readonly #lease: Lease;
  readonly #layer: Promise<Layer>;
  #moving: Promise<Layer> | undefined;
  #borrowers = 0;
  #free: (() => void) | undefined;

  constructor(directory: string, images: Images, lease: Lease) {
    this.#directory = directory;
    this.#images = images;
    this.#lease = lease;
    this.#layer = this.#store();
    this.#layer.catch(() => {}); // Told to whoever waits for it.
  }

  layer(): Promise<Layer> {
    return this.#layer;
  }

  async borrow(): Promise<Borrowed> {
    if (this.#moving !== undefined) {
      const { diffId } = await this.#moving;
      return { directory: this.#images.layerDir(diffId), release: () => {} };
    }
    this.#borrowers++;
    return { directory: this.#directory, release: () => this.#release() };
  }

  #release(): void {
    if (--this.#borrowers === 0) this.#free?.();
  }

  async #store(): Promise<Layer> {
    const identity = await this.#images.identifyLayer(this.#directory);
    // Held before it is there: a removal beside this build must not see it without an owner.
    this.#lease.hold(identity.diffId);
    while (this.#borrowers > 0) await new Promise<void>((resolve) => (this.#free = resolve));
    this.#moving = this.#images.adoptLayer(this.#directory, identity);
    return this.#moving;
  }
}
