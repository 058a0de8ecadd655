import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import { Digester, hexOf } from "./digest.ts";
import type { LayerIdentity, Staging } from "./layers.ts";
import type { ImageStore } from "./store.ts";

/** Something in the store that is not what it should be. */
export interface Finding {
  readonly what: "blob" | "layer" | "image";
  readonly id: string;
  readonly problem: string;
  /** What was done about it; undefined when nothing was asked for. */
  readonly repair: string | undefined;
}

export interface Verified {
  readonly images: number;
  readonly layers: number;
  readonly blobs: number;
  readonly findings: readonly Finding[];
}

/**
 * Checks every digest and every reference of the store, by reading all of it.
 *
 * @param repair layers are unpacked anew from their blobs where that is possible; what cannot be made good is moved to
 *   `quarantine` in the data root, and its images are dropped
 */
export async function verifyStore(store: ImageStore, repair: boolean): Promise<Verified> {
  const verifier = new Verifier(store, repair);
  const blobs = await store.blobs.all();
  const layers = [...store.catalog.layers.keys()];
  const images = [...store.catalog.images.keys()];
  for (const digest of blobs) await verifier.blob(digest);
  for (const diffId of layers) await verifier.layer(diffId);
  for (const id of images) await verifier.image(id);
  if (repair) await store.catalog.save();
  return { images: images.length, layers: layers.length, blobs: blobs.length, findings: verifier.findings };
}

class Verifier {
  readonly findings: Finding[] = [];
  readonly #store: ImageStore;
  readonly #repair: boolean;

  constructor(store: ImageStore, repair: boolean) {
    this.#store = store;
    this.#repair = repair;
  }

  async blob(digest: string): Promise<void> {
    const digester = new Digester();
    try {
      for await (const chunk of this.#store.blobs.open(digest)) digester.update(chunk as Buffer);
    } catch (error) {
      // Removed meanwhile, as nobody needed it any more.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    if (digester.digest === digest) return;
    await this.#say("blob", digest, "its content has another digest", () =>
      this.#quarantine(this.#store.blobs.path(digest)),
    );
  }

  async layer(diffId: string): Promise<void> {
    const { layers, catalog } = this.#store;
    const found = await this.#identify(diffId);
    if (!catalog.layers.has(diffId) || found?.diffId === diffId) return;
    const staging = await layers.stage();
    try {
      const whole = await this.#unpackAgain(diffId, staging);
      if (whole && (await layers.identify(staging.fs)).diffId === found?.diffId) return;
      const problem = found === undefined ? "its directory is gone" : "its files changed";
      await this.#say("layer", diffId, problem, () =>
        whole ? this.#replaceLayer(diffId, staging) : this.#quarantineLayer(diffId),
      );
    } finally {
      await layers.discard(staging);
    }
  }

  /** From the blob that it came as, or by its recipe. @returns whether that gives the layer */
  async #unpackAgain(diffId: string, staging: Staging): Promise<boolean> {
    const { layers } = this.#store;
    try {
      const { digest } = await layers.fill(staging, await layers.pack(diffId), {
        recipe: layers.hasRecipe(diffId),
      });
      return digest === diffId;
    } catch (error) {
      if (error instanceof EngineError && error.kind === "system") throw error;
      return false;
    }
  }

  async #replaceLayer(diffId: string, staging: Staging): Promise<string> {
    const directory = join(this.#store.paths.layers, hexOf(diffId));
    await this.#quarantine(directory).catch(() => "");
    await rename(staging.directory, directory);
    return "unpacked anew";
  }

  async image(id: string): Promise<void> {
    const { blobs, catalog } = this.#store;
    const record = catalog.images.get(id);
    if (record === undefined) return;
    const drop = async (): Promise<string> => {
      this.#store.drop(id);
      return "dropped";
    };
    if (!(await blobs.has(id))) await this.#say("image", id, "its configuration is gone", drop);
    else if (record.layers.some((diffId) => !catalog.layers.has(diffId))) {
      await this.#say("image", id, "it lacks a layer", drop);
    }
  }

  async #identify(diffId: string): Promise<LayerIdentity | undefined> {
    try {
      return await this.#store.layers.identify(this.#store.layers.directory(diffId));
    } catch {
      return undefined;
    }
  }

  async #say(what: Finding["what"], id: string, problem: string, mend: () => Promise<string>): Promise<void> {
    this.findings.push({ what, id, problem, repair: this.#repair ? await mend() : undefined });
  }

  async #quarantine(path: string): Promise<string> {
    const directory = join(this.#store.paths.dataRoot, "quarantine");
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const target = join(directory, `${path.split("/").at(-1)}.${Date.now()}`);
    await rename(path, target);
    return `moved to ${target}`;
  }

  async #quarantineLayer(diffId: string): Promise<string> {
    const done = await this.#quarantine(join(this.#store.paths.layers, hexOf(diffId))).catch(
      () => "forgotten",
    );
    this.#store.catalog.layers.delete(diffId);
    return done;
  }
}
