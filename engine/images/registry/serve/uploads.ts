import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Digester, isDigest } from "../../digest.ts";
import type { ImageStore } from "../../store.ts";
import { Refusal } from "./refusal.ts";

/** Blobs that are on their way to us, a file each; what a crash leaves of them goes at the next start. */
export class Uploads {
  readonly #store: ImageStore;

  constructor(store: ImageStore) {
    this.#store = store;
  }

  #path(id: string): string {
    return join(this.#store.paths.ingest, `upload-${id}.tmp`);
  }

  /** Bytes that are here. @throws {Refusal} 404 for an upload that nobody began */
  async size(id: string): Promise<number> {
    const found = await stat(this.#path(id)).catch(() => undefined);
    if (found === undefined) throw new Refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    return found.size;
  }

  /** Takes a request's bytes; without one the upload is begun. */
  async append(id: string, from: IncomingMessage | undefined): Promise<void> {
    const file = createWriteStream(this.#path(id), { flags: "a", mode: 0o600 });
    if (from === undefined) await new Promise((resolve) => file.end(resolve));
    else await pipeline(from, file);
  }

  async cancel(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  /** Makes it a blob. @throws {Refusal} 400 if its digest is another one; nothing of it is kept then */
  async finish(id: string, digest: string): Promise<void> {
    const digester = new Digester();
    for await (const chunk of createReadStream(this.#path(id), { highWaterMark: 1 << 20 }))
      digester.update(chunk as Buffer);
    if (!isDigest(digest) || digester.digest !== digest) {
      await this.cancel(id);
      throw new Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    }
    await this.#store.blobs.adopt(this.#path(id), digest);
  }
}
