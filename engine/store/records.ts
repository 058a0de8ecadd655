import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Paths } from "./paths.ts";
import { Serial } from "./serial.ts";

/**
 * The records of one kind, one JSON file each: all in memory, each change on disk before its promise resolves.
 *
 * A value is replaced as a whole and never changed in place; who reads it may keep it.
 */
export class Records<T> {
  readonly #directory: string;
  readonly #values: Map<string, T>;
  readonly #written: Map<string, T>;
  readonly #writes = new Serial();
  readonly #soon = new Map<string, Promise<void>>();

  private constructor(directory: string, values: Map<string, T>) {
    this.#directory = directory;
    this.#values = values;
    this.#written = new Map(values);
  }

  /**
   * Reads every `<id>.json` of a directory, which is made if it is absent.
   *
   * @param unreadable is told of a file that holds no JSON; the record is left out and the file stays, for a person
   */
  static async open<T>(
    directory: string,
    unreadable: (path: string, cause: unknown) => void = () => {},
  ): Promise<Records<T>> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const values = new Map<string, T>();
    for (const name of (await readdir(directory)).sort()) {
      const path = join(directory, name);
      // A write that a crash cut short leaves its temporary file; the record itself is whole.
      if (name.endsWith(TEMPORARY)) await rm(path, { force: true });
      if (!name.endsWith(".json")) continue;
      try {
        values.set(name.slice(0, -".json".length), JSON.parse(await readFile(path, "utf8")) as T);
      } catch (cause) {
        unreadable(path, cause);
      }
    }
    return new Records<T>(directory, values);
  }

  get(id: string): T | undefined {
    return this.#values.get(id);
  }

  /** In the order they were first put; those read from disk come first, by id. */
  all(): T[] {
    return [...this.#values.values()];
  }

  /** Seen by `get` at once, on disk when the promise resolves. Several puts at a time of one id write the last value once. */
  async put(id: string, value: T): Promise<void> {
    this.#values.set(id, value);
    await this.#write(id);
  }

  /**
   * As put(), but on disk some time later: for what can be found out again after a crash. What is replaced or removed
   * before then is never written.
   */
  putSoon(id: string, value: T): Promise<void> {
    this.#values.set(id, value);
    const waiting = this.#soon.get(id);
    if (waiting !== undefined) return waiting;
    const writing = wait(SOON_MS).then(() => {
      this.#soon.delete(id);
      return this.#write(id);
    });
    this.#soon.set(id, writing);
    return writing;
  }

  /** Writes what putSoon() has not written yet. */
  async flush(): Promise<void> {
    await Promise.all([...this.#soon.keys()].map((id) => this.#write(id)));
  }

  async #write(id: string): Promise<void> {
    const path = this.#path(id);
    await this.#writes.run(id, async () => {
      const latest = this.#values.get(id);
      // Removed, or written already by the put that waited before this one.
      if (latest === undefined || latest === this.#written.get(id)) return;
      await writeDurably(path, `${JSON.stringify(latest)}\n`);
      this.#written.set(id, latest);
    });
  }

  async remove(id: string): Promise<void> {
    const path = this.#path(id);
    this.#values.delete(id);
    await this.#writes.run(id, async () => {
      if (this.#values.has(id)) return;
      this.#written.delete(id);
      await rm(path, { force: true });
    });
  }

  #path(id: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.:+@-]*$/.test(id)) throw new TypeError(`not a record id: ${id}`);
    return join(this.#directory, `${id}.json`);
  }
}

/**
 * Replaces a file as a whole: after a crash it holds the old or the new content, never a part.
 *
 * The directory is not synced: the kernel may lose the rename itself in a power cut, and then the old content is there.
 */
export async function writeDurably(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}${TEMPORARY}`);
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(data);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes the directories of the engine that are absent; modes of present ones stay as an administrator set them. */
export async function createDirectories(paths: Paths): Promise<void> {
  for (const [path, mode] of paths.directories) {
    const made = await mkdir(path, { recursive: true, mode });
    // mkdir's mode is cut by the umask.
    if (made !== undefined) await chmodExactly(path, mode);
  }
}

async function chmodExactly(path: string, mode: number): Promise<void> {
  const directory = await open(path, "r");
  await directory.chmod(mode).finally(() => directory.close());
}

const TEMPORARY = ".tmp";

/** Most containers that live shorter than this never have more than their first record written. */
const SOON_MS = 250;
