/**
 * How a layer's archive is made again from its files, byte for byte: what of it is no file's content lies, packed,
 * beside the files. A layer that came as a plain archive so takes its place on disk once, not twice.
 */
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import type { Workers } from "../native/workers.ts";

/** In a layer's directory, beside `fs`. */
export const RECIPE = "recipe.zst";

/** Writes a recipe while its archive is unpacked. */
export class RecipeWriter {
  readonly #path: string;
  readonly #packer = createZstdCompress();
  readonly #written: Promise<void>;

  /** @param directory the layer's; without a recipe yet */
  constructor(directory: string) {
    this.#path = join(directory, RECIPE);
    this.#written = pipeline(this.#packer, createWriteStream(this.#path, { flags: "wx", mode: 0o600 }));
    // Of one whose archive turns out to be broken nobody asks.
    this.#written.catch(() => {});
  }

  readonly write = async (piece: Buffer): Promise<void> => {
    if (!this.#packer.write(piece) && !this.#packer.destroyed) {
      await Promise.race([once(this.#packer, "drain"), this.#written]);
    }
  };

  async finish(): Promise<void> {
    this.#packer.end();
    await this.#written;
  }

  /** Lets go of its file, which goes with the directory. */
  async abandon(): Promise<void> {
    this.#packer.destroy();
    await this.#written.catch(() => {});
  }
}

/** The archive of the layer in `directory`. The stream fails if its files are not what they were. */
export function rebuildArchive(workers: Workers, directory: string): Readable {
  const packed = createReadStream(join(directory, RECIPE));
  const recipe = packed.pipe(createZstdDecompress());
  packed.once("error", (error) => recipe.destroy(error));
  return workers.rebuild({ kind: "dir", path: join(directory, "fs") }, recipe);
}
