import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "../errors.ts";
import type { TreeSize, UntarOptions, Workers } from "../native/workers.ts";
import type { Paths } from "../store/paths.ts";
import { Serial } from "../store/serial.ts";
import type { Blobs } from "./blobs.ts";
import type { Catalog } from "./catalog.ts";
import type { BlobDescriptor, LayerRecord } from "./catalog-file.ts";
import { decompress } from "./decompress.ts";
import { hexOf } from "./digest.ts";
import type { Lease } from "./leases.ts";
import { RECIPE, RecipeWriter, rebuildArchive } from "./recipe.ts";
import type { Trash } from "./trash.ts";
import type { Layer } from "./types.ts";

const STAGING = ".tmp-";

/** A layer's tree while it is filled; it is no layer until it is committed. */
export interface Staging {
  readonly fs: string; // the directory to fill, empty, root's, mode 0755
  readonly directory: string; // what is renamed at the end; holds `fs`
}

/** A layer by its digest, with the bytes of its regular files and of its archive. */
export interface LayerIdentity extends Layer {
  readonly archiveSize: number;
}

/** What came out of an archive. */
export interface Filled {
  readonly digest: string; // of the archive
  readonly bytes: number; // of the archive
  readonly size: TreeSize;
}

export interface FillOptions extends Pick<UntarOptions, "entryLimit" | "byteLimit" | "ownBuffers"> {
  /** Write down, in the staged directory, how the archive is made again. */
  readonly recipe?: boolean;
}

/** More than any layer has. */
const ENTRIES = 20_000_000;
/** What is packed better than this, and is large, was made to fill a disk. */
const RATIO = 500;
const LARGE = 8 * 2 ** 30;

/** How much may come out of so many packed bytes. */
export function unpackLimits(packed: number): Pick<UntarOptions, "entryLimit" | "byteLimit"> {
  return { entryLimit: ENTRIES, byteLimit: Math.max(LARGE, packed * RATIO) };
}

/**
 * Unpacked layers, each a directory named by its diffId, so that images share them and several can be unpacked at a
 * time. A directory appears by rename when it is whole.
 */
export class Layers {
  readonly #paths: Paths;
  readonly #catalog: Catalog;
  readonly #blobs: Blobs;
  readonly #workers: Workers;
  readonly #trash: Trash;
  /** Directories appear and go one change at a time for each layer. */
  readonly #changes = new Serial();

  constructor(paths: Paths, catalog: Catalog, blobs: Blobs, workers: Workers, trash: Trash) {
    this.#paths = paths;
    this.#catalog = catalog;
    this.#blobs = blobs;
    this.#workers = workers;
    this.#trash = trash;
  }

  /** What is in the catalog and what is on disk are made one; half-filled trees go. @returns diffIds that were lost */
  async reconcile(): Promise<string[]> {
    const onDisk = new Set<string>();
    for (const name of readdirSync(this.#paths.layers)) {
      const diffId = `sha256:${name}`;
      if (this.#catalog.layers.has(diffId)) onDisk.add(diffId);
      else await this.#trash.discard(join(this.#paths.layers, name));
    }
    const lost = [...this.#catalog.layers.keys()].filter((diffId) => !onDisk.has(diffId));
    for (const diffId of lost) this.#catalog.layers.delete(diffId);
    return lost;
  }

  has(diffId: string): boolean {
    return this.#catalog.layers.has(diffId);
  }

  directory(diffId: string): string {
    return this.#paths.layer(diffId);
  }

  get(diffId: string): Layer | undefined {
    const record = this.#catalog.layers.get(diffId);
    return record === undefined ? undefined : { diffId, size: record.size };
  }

  /** Its archive is made again from its files, so that it is kept nowhere else. */
  hasRecipe(diffId: string): boolean {
    return this.#catalog.layers.get(diffId)?.recipe === true;
  }

  /** Bytes that the layer takes in the file system, with its packed forms: what its removal frees. */
  async disk(diffId: string, record: LayerRecord): Promise<number> {
    const packed = await Promise.all(record.blobs.map(({ digest }) => this.#blobs.disk(digest)));
    return packed.reduce((sum, bytes) => sum + bytes, await this.#diskOfFiles(diffId, record));
  }

  async #diskOfFiles(diffId: string, record: LayerRecord): Promise<number> {
    if (record.disk !== undefined) return record.disk;
    const path = join(this.#paths.layers, hexOf(diffId));
    const { disk } = await this.#workers.measure({ kind: "dir", path });
    // It never changes; written with the next change of the catalog.
    const known = this.#catalog.layers.get(diffId);
    if (known !== undefined) this.#catalog.layers.set(diffId, { ...known, disk });
    return disk;
  }

  async stage(): Promise<Staging> {
    const directory = join(this.#paths.layers, STAGING + randomBytes(8).toString("hex"));
    await mkdir(join(directory, "fs"), { recursive: true, mode: 0o755 });
    return { directory, fs: join(directory, "fs") };
  }

  async discard(staging: Staging): Promise<void> {
    await this.#trash.discard(staging.directory);
  }

  /** Of a layer that is kept in the form it came in, too. */
  async dropRecipe(staging: Staging): Promise<void> {
    await rm(join(staging.directory, RECIPE), { force: true });
  }

  /** Makes a filled tree the layer `diffId`; if there is one by now, that one stays. */
  commit(staging: Staging, diffId: string, record: LayerRecord): Promise<Layer> {
    // One at a time: two steps of a build that change nothing have the same layer at the same moment.
    return this.#changes.run(diffId, async () => {
      if (!this.has(diffId)) {
        const target = join(this.#paths.layers, hexOf(diffId));
        // Left by a crash between the rename and the catalog: whole, but not known.
        await this.#trash.discard(target);
        await rename(staging.directory, target);
        this.#catalog.layers.set(diffId, record);
      } else {
        await this.discard(staging);
        this.addBlobs(diffId, record.blobs);
      }
      return { diffId, size: this.#catalog.layers.get(diffId)?.size ?? record.size };
    });
  }

  addBlobs(diffId: string, blobs: readonly BlobDescriptor[]): void {
    const record = this.#catalog.layers.get(diffId);
    const added = blobs.filter((blob) => !record?.blobs.some((known) => known.digest === blob.digest));
    if (record !== undefined && added.length > 0) {
      this.#catalog.layers.set(diffId, { ...record, blobs: [...record.blobs, ...added] });
    }
  }

  /**
   * Unpacks an uncompressed archive and commits it.
   *
   * @param expected the diffId it must have
   * @throws {EngineError} invalid if the archive is broken or hostile, or is another one; nothing of it is left
   */
  async unpack(
    archive: Readable,
    expected: string,
    blobs: readonly BlobDescriptor[] = [],
    options: Pick<FillOptions, "ownBuffers"> = {},
  ): Promise<Layer> {
    const staging = await this.stage();
    try {
      const packed = Math.max(0, ...blobs.map((blob) => blob.size));
      const { digest, bytes, size } = await this.fill(staging, archive, {
        ...unpackLimits(packed),
        ...options,
      });
      if (digest !== expected) {
        throw new EngineError("invalid", `layer ${expected} unpacks to ${digest}`);
      }
      return await this.commit(staging, digest, { size: size.bytes, archiveSize: bytes, blobs });
    } catch (error) {
      await this.discard(staging);
      throw error;
    }
  }

  /** Unpacks into a staged tree and tells what passed. */
  async fill(
    staging: Staging,
    archive: AsyncIterable<Buffer>,
    { recipe: wantsRecipe = false, ...more }: FillOptions = {},
  ): Promise<Filled> {
    const recipe = wantsRecipe ? new RecipeWriter(staging.directory) : undefined;
    const into = { kind: "dir", path: staging.fs } as const;
    const options = { whiteouts: "overlay", ...more, ...(recipe && { recipe: recipe.write }) } as const;
    try {
      const { digest, archiveBytes, ...size } = await this.#workers.untar(archive, into, options);
      await recipe?.finish();
      return { digest, bytes: archiveBytes, size };
    } catch (error) {
      await recipe?.abandon();
      throw error;
    }
  }

  /**
   * Makes a directory, such as the upper directory of a build step, a layer. It is moved, not copied.
   *
   * @param path on the file system of the layers; whiteouts in overlayfs's form
   * @param identity what `identify` said of it; found out if it is not given
   */
  async adopt(path: string, identity?: LayerIdentity): Promise<Layer> {
    const { diffId, size, archiveSize } = identity ?? (await this.identify(path));
    const staging: Staging = {
      directory: join(this.#paths.layers, STAGING + randomBytes(8).toString("hex")),
      fs: path,
    };
    await mkdir(staging.directory, { mode: 0o755 });
    await rename(path, join(staging.directory, "fs"));
    return this.commit(staging, diffId, { size, archiveSize, blobs: [] });
  }

  /** A staged tree filled by other means than one archive; the lease holds it until an image has it. */
  async adoptStaged(staging: Staging, lease: Lease): Promise<Layer> {
    const { diffId, size, archiveSize } = await this.identify(staging.fs);
    lease.hold(diffId);
    return this.commit(staging, diffId, { size, archiveSize, blobs: [] });
  }

  /** What a directory would be as a layer: the digest of its archive. Nothing may change in it afterwards. */
  async identify(path: string): Promise<LayerIdentity> {
    const { digest, bytes, archiveBytes } = await this.#workers.identify({ kind: "dir", path });
    return { diffId: digest, size: bytes, archiveSize: archiveBytes };
  }

  /** The layer as an uncompressed archive whose digest is its diffId. */
  async pack(diffId: string): Promise<Readable> {
    const directory = this.directory(diffId);
    if (this.hasRecipe(diffId)) return rebuildArchive(this.#workers, join(directory, ".."));
    const blob = this.#catalog.layers.get(diffId)?.blobs[0];
    // Of a layer that came packed only that form gives the same bytes again.
    if (blob !== undefined) return (await decompress(this.#blobs.open(blob.digest))).stream;
    await access(directory);
    return this.#workers.tar({ kind: "dir", path: directory }, { whiteouts: "layer" });
  }

  /**
   * The directory of a layer that was taken out of the catalog; one that was made anew meanwhile stays.
   *
   * @returns the bytes that are free then, without those of its packed forms
   */
  async removeUnlessBack(diffId: string, record: LayerRecord): Promise<number> {
    return this.#changes.run(diffId, async () => {
      if (this.has(diffId)) return 0;
      const disk = await this.#diskOfFiles(diffId, record).catch(() => 0);
      await this.#trash.discard(join(this.#paths.layers, hexOf(diffId)));
      return disk;
    });
  }
}
