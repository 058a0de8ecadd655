/** Which step gave which layer: found again by a key over everything the step's result hangs on. */
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Images } from "../images/images.ts";
import { decodeName, encodeName } from "../native/names.ts";
import type { Paths } from "../store/paths.ts";
import { Records } from "../store/records.ts";
import { formatManifest, type Manifest, parseManifest } from "./manifest.ts";

/** A change of what a step does with the same input must change this, or old results live on. */
const VERSION = 4;
/** How much later than noted a use must be to be noted: milliseconds. */
const USE_GRAIN = 10 * 60 * 1000;

export interface StepRecord {
  readonly key: string;
  /** What later steps' keys hang on. */
  readonly id: string;
  readonly diffId: string;
  readonly title: string;
  readonly created: string; // RFC 3339; goes into the image's history
  readonly usedAt: number; // milliseconds since the epoch
  readonly uses: number;
  readonly size: number; // bytes
  /** What the key was made of, by name: for telling what changed. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The instruction's place: equal for the same instruction of the same stage. */
  readonly place: string;
}

export class StepCache {
  readonly #manifests: string;
  readonly #records: Records<StepRecord>;
  readonly #images: Pick<Images, "layer">;

  private constructor(manifests: string, records: Records<StepRecord>, images: Pick<Images, "layer">) {
    this.#manifests = manifests;
    this.#records = records;
    this.#images = images;
  }

  static async open(paths: Paths, images: Pick<Images, "layer" | "addRoots">): Promise<StepCache> {
    const records = await Records.open<StepRecord>(join(paths.builder, "steps"));
    const cache = new StepCache(join(paths.builder, "manifests"), records, images);
    for (const { key, diffId } of records.all())
      if (images.layer(diffId) === undefined) await records.remove(key);
    images.addRoots(() => records.all().map(({ diffId }) => diffId));
    return cache;
  }

  /** @returns undefined where there is none, or its layer is gone */
  get(key: string): StepRecord | undefined {
    const record = this.#records.get(key);
    return record !== undefined && this.#images.layer(record.diffId) !== undefined ? record : undefined;
  }

  async put(record: StepRecord, manifest?: Manifest): Promise<void> {
    await this.#records.put(record.key, record);
    // Lost or broken it costs a whole copy, no more: it is not worth a sync.
    if (manifest !== undefined)
      await writeFile(join(this.#manifests, record.key), encodeName(formatManifest(manifest)));
  }

  /** What the step took, path by path, where that is known. */
  async manifest(key: string): Promise<Manifest | undefined> {
    return readFile(join(this.#manifests, key)).then(
      (bytes) => parseManifest(decodeName(bytes)),
      () => undefined,
    );
  }

  /** Notes a use, so that pruning takes what nobody used for long. */
  async use(record: StepRecord): Promise<void> {
    if (Date.now() - record.usedAt < USE_GRAIN) return;
    await this.#records.put(record.key, { ...record, usedAt: Date.now(), uses: record.uses + 1 });
  }

  /** The newest result of the same instruction, whatever its input was. */
  latest(place: string): StepRecord | undefined {
    const same = this.#records.all().filter((record) => record.place === place);
    return same.sort((a, b) => b.usedAt - a.usedAt)[0];
  }

  all(): StepRecord[] {
    return this.#records.all();
  }

  async remove(key: string): Promise<void> {
    await this.#records.remove(key);
    await rm(join(this.#manifests, key), { force: true });
  }
}

/** @param inputs by name; the order of the names does not matter */
export function stepKey(kind: string, inputs: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1));
  return digestOf([VERSION, kind, sorted]);
}

export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
