/** Files that ADD fetched, kept with what the server said of them, so that an unchanged one is not sent again. */
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { access, chmod, readFile, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { EngineError, messageOf } from "../errors.ts";
import { writeDurably } from "../store/records.ts";

interface Known {
  readonly etag: string | undefined;
  readonly modified: string | undefined;
}

export class Downloads {
  readonly directory: string;

  /** @param directory absolute, of this class alone */
  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * Fetches a file: mode 0600, the time that the server says.
   *
   * @returns its name in the directory; it stays as it is until it is fetched anew
   * @throws {EngineError} unavailable where the server does not answer with the file
   */
  async fetch(url: string, signal: AbortSignal): Promise<string> {
    const name = createHash("sha256").update(url).digest("hex");
    const path = join(this.directory, name);
    const known = await this.#known(path);
    const headers: Record<string, string> = {};
    if (known?.etag !== undefined) headers["If-None-Match"] = known.etag;
    else if (known?.modified !== undefined) headers["If-Modified-Since"] = known.modified;
    const response = await fetch(url, { signal, headers, redirect: "follow" }).catch((cause: unknown) => {
      throw new EngineError("unavailable", `${url} cannot be fetched: ${reasonOf(cause)}`, { cause });
    });
    if (response.status === 304 && known !== undefined) {
      await response.body?.cancel();
      return name;
    }
    if (!response.ok)
      throw new EngineError("unavailable", `invalid response status ${response.status} for ${url}`);
    const modified = response.headers.get("last-modified") ?? undefined;
    await this.#write(path, response, modified);
    await writeDurably(
      `${path}.json`,
      JSON.stringify({ etag: response.headers.get("etag") ?? undefined, modified }),
    );
    return name;
  }

  async #known(path: string): Promise<Known | undefined> {
    try {
      await access(path);
      return JSON.parse(await readFile(`${path}.json`, "utf8")) as Known;
    } catch {
      return undefined;
    }
  }

  /** By rename, so that who copies the old one at this moment has all of it. */
  async #write(path: string, response: Response, modified: string | undefined): Promise<void> {
    const temporary = `${path}.${randomBytes(6).toString("hex")}`;
    try {
      const body =
        response.body === null
          ? Readable.from([])
          : Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
      await pipeline(body, createWriteStream(temporary, { mode: 0o600 }));
      await chmod(temporary, 0o600);
      const time = Date.parse(modified ?? "");
      // Without a time of its own a file would be another one in every build.
      const seconds = Number.isNaN(time) ? 0 : time / 1000;
      await utimes(temporary, seconds, seconds);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error);
}
