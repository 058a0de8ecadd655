import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { LogEntry, LogForm } from "./form.ts";

const CHUNK = 64 * 1024;

/** An open log file and how far it has been read. */
export class LogFile {
  readonly #handle: FileHandle;
  readonly #form: LogForm;
  readonly inode: bigint;
  #offset = 0;
  /** The beginning of an entry whose end is not there yet. */
  #rest: Buffer = Buffer.alloc(0);

  private constructor(handle: FileHandle, inode: bigint, form: LogForm) {
    this.#handle = handle;
    this.#form = form;
    this.inode = inode;
  }

  /** @returns undefined if there is no such file */
  static async open(path: string, form: LogForm): Promise<LogFile | undefined> {
    try {
      const handle = await open(path, "r");
      return new LogFile(handle, (await handle.stat({ bigint: true })).ino, form);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Opens one that is compressed, as it was before: in a file beside it that nobody else sees and that ends with this. */
  static async openCompressed(path: string, form: LogForm): Promise<LogFile | undefined> {
    const plain = `${path}.${randomBytes(4).toString("hex")}.tmp`;
    try {
      await pipeline(createReadStream(path), createGunzip(), createWriteStream(plain, { mode: 0o600 }));
      return await LogFile.open(plain, form);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    } finally {
      await rm(plain, { force: true });
    }
  }

  /**
   * Goes to where the last `count` entries begin, or to the start if there are fewer.
   *
   * @returns how many are left over
   */
  async seekTail(count: number): Promise<number> {
    const { size } = await this.#handle.stat();
    this.#offset = size;
    let missing = count;
    // Grows until it holds an entry that is longer than it.
    for (let chunk = CHUNK; missing > 0 && this.#offset > 0; ) {
      const start = Math.max(0, this.#offset - chunk);
      const buffer = Buffer.allocUnsafe(this.#offset - start);
      await this.#handle.read(buffer, 0, buffer.length, start);
      // Where the file begins an entry begins, too: a piece from its start has one more than a piece from elsewhere.
      const { offset, found } = this.#form.tail(buffer, missing);
      missing -= found;
      this.#offset = start + offset;
      if (start === 0) {
        if (missing > 0 && offset > 0) {
          missing--;
          this.#offset = 0;
        }
        break;
      }
      if (found === 0) chunk *= 2;
    }
    return missing;
  }

  /** The entries that are there now, in pieces; what is added meanwhile comes with the next call. */
  async *entries(): AsyncGenerator<readonly LogEntry[]> {
    for (;;) {
      const buffer = Buffer.allocUnsafe(CHUNK);
      const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK, this.#offset);
      if (bytesRead === 0) {
        if ((await this.#handle.stat()).size >= this.#offset) return;
        // The only file of a log was full, and is begun anew.
        this.#offset = 0;
        this.#rest = Buffer.alloc(0);
        continue;
      }
      this.#offset += bytesRead;
      const chunk = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
      const end = this.#form.whole(chunk);
      this.#rest = Buffer.from(chunk.subarray(end));
      if (end > 0) yield this.#form.parse(chunk.subarray(0, end));
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
