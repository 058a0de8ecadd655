import { mkdirSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Replaces a file as a whole, for whoever reads it meanwhile. Not synced: it lies beneath the exec root and ends with the machine. */
export function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/**
 * Records that a reboot may take, one JSON file each; otherwise like engine/store/records.ts.
 *
 * Writing is synchronous: the exec root is in memory, where three system calls cost less than a thread's round trip.
 */
export class Scratch<T> {
  readonly #directory: string;
  readonly #values = new Map<string, T>();

  /** @param unreadable is told of a file that holds no JSON; the record is left out */
  constructor(directory: string, unreadable: (path: string, cause: unknown) => void) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#directory = directory;
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      if (!name.endsWith(".json")) continue;
      try {
        this.#values.set(name.slice(0, -".json".length), JSON.parse(readFileSync(path, "utf8")) as T);
      } catch (cause) {
        unreadable(path, cause);
      }
    }
  }

  get(id: string): T | undefined {
    return this.#values.get(id);
  }

  all(): T[] {
    return [...this.#values.values()];
  }

  put(id: string, value: T): void {
    this.#values.set(id, value);
    replaceFile(join(this.#directory, `${id}.json`), JSON.stringify(value));
  }

  remove(id: string): void {
    if (this.#values.delete(id)) unlinkSync(join(this.#directory, `${id}.json`));
  }
}
