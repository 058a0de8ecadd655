/** Where fetched files are kept: a folder a commit or a digest, which never change, and what a name stood for last. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

export class Cache {
  readonly #folder: string;

  constructor(env: Environment) {
    this.#folder = join(
      env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"),
      "slipway",
      "remote",
    );
  }

  path(key: string): string {
    return join(this.#folder, key);
  }

  /**
   * The folder of something that never changes, made by `fill` where it is not there yet: all of it or nothing.
   *
   * @param key of hexadecimal digits
   */
  async folder(key: string, fill: (folder: string) => Promise<void>): Promise<string> {
    const path = this.path(key);
    if (await stat(path).catch(() => undefined)) return path;
    const fresh = `${path}.${process.pid}`;
    await mkdir(fresh, { recursive: true, mode: 0o700 });
    try {
      await fill(fresh);
      await rename(fresh, path);
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      // Somebody else may have been first.
      if (!(await stat(path).catch(() => undefined))) throw error;
    }
    return path;
  }

  /** What an address stood for when it was last asked. */
  async last(address: string): Promise<string | undefined> {
    return await readFile(this.#name(address), "utf8").catch(() => undefined);
  }

  async remember(address: string, key: string): Promise<void> {
    const path = this.#name(address);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeFile(`${path}.${process.pid}`, key);
    await rename(`${path}.${process.pid}`, path);
  }

  #name(address: string): string {
    return join(this.#folder, `name-${createHash("sha256").update(address).digest("hex")}`);
  }
}
