import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Workers } from "../native/workers.ts";

/**
 * Where trees go that nobody needs: renamed at once, unlinked in the background by a worker.
 *
 * Unlinking thousands of files inline stalls ext4 for seconds, and the caller with it.
 */
export class Trash {
  readonly #directory: string;
  readonly #workers: Pick<Workers, "remove">;
  #emptying: Promise<void> | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(directory: string, workers: Pick<Workers, "remove">) {
    this.#directory = directory;
    this.#workers = workers;
  }

  /** Takes a file or tree of the same file system away; no error when it is absent. */
  async discard(path: string): Promise<void> {
    try {
      await rename(path, join(this.#directory, randomBytes(8).toString("hex")));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    // Not for each by itself: a worker for many costs little more than one for one.
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.empty();
    }, GATHER_MS).unref();
  }

  /** Unlinks what is there; at the start of a daemon also what the one before left. Failures wait for the next time. */
  empty(): Promise<void> {
    this.#emptying ??= this.#unlink()
      .catch(() => {})
      .finally(() => {
        this.#emptying = undefined;
      });
    return this.#emptying;
  }

  async #unlink(): Promise<void> {
    // Not with its parents: a data root that was taken away meanwhile must not come back.
    await mkdir(this.#directory, { mode: 0o700 }).catch(() => {});
    for (;;) {
      const names = await readdir(this.#directory);
      if (names.length === 0) return;
      const [first = ""] = names;
      await this.#workers.remove(
        { kind: "dir", path: this.#directory },
        names.length === 1 ? first : await this.#gather(names),
      );
    }
  }

  /** Puts all into one directory. Returns its name. */
  async #gather(names: readonly string[]): Promise<string> {
    const gathered = randomBytes(8).toString("hex");
    await mkdir(join(this.#directory, gathered), { mode: 0o700 });
    for (const name of names) {
      const target = join(this.#directory, gathered, name);
      await rename(join(this.#directory, name), target).catch(() => {}); // another keeper of this trash was faster
    }
    return gathered;
  }
}

/** How long what was thrown away waits for more. */
const GATHER_MS = 100;
