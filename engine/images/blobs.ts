import { createHash, randomBytes } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "../errors.ts";
import { writeDurably } from "../store/records.ts";
import { digestOf, hexOf } from "./digest.ts";

/** Milliseconds between writing a blob and naming it in the catalog, at the very most. */
const RECENT = 600_000;
/** Milliseconds that half a download waits for the rest. */
const KEPT = 7 * 24 * 3_600_000;

/** Files named by the sha256 of what they hold: configurations, manifests, packed layers. */
export class Blobs {
  readonly #directory: string;
  readonly #ingest: string;
  /** When this process made a blob that nobody may refer to yet, in milliseconds. */
  readonly #made = new Map<string, number>();

  /** Both directories exist, on one file system. */
  constructor(directory: string, ingest: string) {
    this.#directory = directory;
    this.#ingest = ingest;
  }

  path(digest: string): string {
    return join(this.#directory, hexOf(digest));
  }

  async has(digest: string): Promise<boolean> {
    return (await this.size(digest)) !== undefined;
  }

  async size(digest: string): Promise<number | undefined> {
    try {
      return (await stat(this.path(digest))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Bytes that the file system holds for it; 0 if it is not there. */
  async disk(digest: string): Promise<number> {
    // In units of 512 bytes, whatever the file system's own are.
    return stat(this.path(digest)).then(
      ({ blocks }) => blocks * 512,
      () => 0,
    );
  }

  /** A small blob's bytes, at once: configurations are read where an answer must not wait. */
  readNow(digest: string): Buffer {
    return readFileSync(this.path(digest));
  }

  /** @param end before which byte it ends; undefined: the blob's end */
  open(digest: string, start = 0, end?: number): Readable {
    const last = end === undefined ? {} : { end: end - 1 };
    return createReadStream(this.path(digest), { highWaterMark: 1 << 20, start, ...last });
  }

  /** Writes a small blob. @returns its digest */
  async put(bytes: Uint8Array): Promise<string> {
    const digest = digestOf(bytes);
    this.#made.set(digest, Date.now());
    if (!(await this.has(digest))) await writeDurably(this.path(digest), bytes);
    return digest;
  }

  /**
   * Writes a stream, which becomes visible as a blob when all of it is there and is what it should be.
   *
   * @throws {EngineError} invalid if its digest is not `expected`
   */
  async putStream(source: Readable, expected?: string): Promise<{ digest: string; size: number }> {
    const temporary = join(this.#ingest, `${randomBytes(8).toString("hex")}.tmp`);
    const hash = createHash("sha256");
    let size = 0;
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        for await (const chunk of source) {
          hash.update(chunk as Buffer);
          size += (chunk as Buffer).length;
          await file.write(chunk as Buffer);
        }
        await file.datasync();
      } finally {
        await file.close();
      }
      const digest = `sha256:${hash.digest("hex")}`;
      if (expected !== undefined && digest !== expected) {
        throw new EngineError("invalid", `expected ${expected}, received ${digest}`);
      }
      await this.adopt(temporary, digest);
      return { digest, size };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Takes a file over that is complete and whose digest was checked while it was written. */
  async adopt(path: string, digest: string): Promise<void> {
    this.#made.set(digest, Date.now());
    await rename(path, this.path(digest));
  }

  /** Whether somebody may be about to refer to it. */
  isRecent(digest: string): boolean {
    const made = this.#made.get(digest);
    if (made !== undefined && Date.now() - made < RECENT) return true;
    this.#made.delete(digest);
    return false;
  }

  /** @returns the bytes of the file system that are free then */
  async remove(digest: string): Promise<number> {
    const disk = await this.disk(digest);
    await rm(this.path(digest), { force: true });
    return disk;
  }

  async all(): Promise<string[]> {
    return (await readdir(this.#directory))
      .filter((name) => /^[0-9a-f]{64}$/.test(name))
      .map((hex) => `sha256:${hex}`);
  }

  /** Drops what a crash left half-written; downloads that can be gone on with stay for a week. */
  clean(): void {
    for (const name of readdirSync(this.#ingest)) {
      const path = join(this.#ingest, name);
      const isOld = name.endsWith(".part") && Date.now() - statSync(path).mtimeMs > KEPT;
      if (name.endsWith(".tmp") || isOld) rmSync(path, { force: true });
      // A bootstrap that was killed; it may be large, and nothing waits for it.
      else if (name.startsWith("bootstrap-")) void rm(path, { recursive: true, force: true }).catch(() => {});
    }
  }
}
