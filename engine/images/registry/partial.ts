import { type FileHandle, open } from "node:fs/promises";

/** Bytes that are written at a time: one call of the thread pool for a dozen packets. */
const BATCH = 1 << 20;

/**
 * The file of a download. It is written behind the reader's back, at most two batches late, so that neither the network
 * nor what unpacks waits for the disk.
 */
export class PartialFile {
  readonly #file: FileHandle;
  #batch: Buffer[] = [];
  #batched = 0;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Goes on at the end of what is there. */
  static async open(path: string): Promise<PartialFile> {
    return new PartialFile(await open(path, "a", 0o600));
  }

  /** @throws what an earlier write failed with, such as ENOSPC */
  async add(chunk: Buffer): Promise<void> {
    this.#batch.push(chunk);
    this.#batched += chunk.length;
    if (this.#batched < BATCH) return;
    await this.#writing;
    this.#write();
  }

  /** Everything added is in the file; with `durable` also after a power cut. */
  async flush(durable: boolean): Promise<void> {
    await this.#writing;
    if (this.#batched > 0) this.#write();
    await this.#writing;
    if (durable) await this.#file.datasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #write(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#batched = 0;
    this.#writing = writeAll(this.#file, batch);
    // Told to whoever adds or flushes next.
    this.#writing.catch(() => {});
  }
}

/** A full disk shows itself as a short write first. */
async function writeAll(file: FileHandle, batch: readonly Buffer[]): Promise<void> {
  const { bytesWritten } = await file.writev(batch);
  let skip = bytesWritten;
  for (const chunk of batch) {
    if (skip < chunk.length) await file.appendFile(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
}
