import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { isDigest } from "../../digest.ts";
import type { Leases } from "../../leases.ts";
import type { ImageStore } from "../../store.ts";
import { Refusal } from "./refusal.ts";
import { Uploads } from "./uploads.ts";

/** Milliseconds that a blob waits for its manifest. */
const UNNAMED = 3_600_000;

/** What is asked about blobs: to have them, whole or from a byte on, and to send them, at once or in pieces. */
export class BlobService {
  readonly #store: ImageStore;
  readonly #uploads: Uploads;
  readonly #leases: Leases;

  constructor(store: ImageStore, leases: Leases) {
    this.#store = store;
    this.#uploads = new Uploads(store);
    this.#leases = leases;
  }

  async get(
    request: IncomingMessage,
    response: ServerResponse,
    [, digest = ""]: readonly string[],
  ): Promise<void> {
    const size = await this.#store.blobs.size(digest);
    if (size === undefined) return this.#getPlainLayer(request, response, digest);
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (start > 0 && start >= size) throw new Refusal(416, "RANGE_INVALID", "invalid content range");
    response.writeHead(start > 0 ? 206 : 200, {
      "content-type": "application/octet-stream",
      "content-length": size - start,
      "docker-content-digest": digest,
      "accept-ranges": "bytes",
      ...(start > 0 ? { "content-range": `bytes ${start}-${size - 1}/${size}` } : {}),
    });
    if (request.method === "HEAD") response.end();
    else await pipeline(this.#store.blobs.open(digest, start), response);
  }

  /** A layer that is kept as files alone, whose archive is made again: always from its beginning. */
  async #getPlainLayer(request: IncomingMessage, response: ServerResponse, digest: string): Promise<void> {
    const record = this.#store.catalog.layers.get(digest);
    if (record === undefined) throw new Refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": record.archiveSize,
      "docker-content-digest": digest,
    });
    if (request.method === "HEAD") response.end();
    else await pipeline(await this.#store.layers.pack(digest), response);
  }

  async begin(
    request: IncomingMessage,
    response: ServerResponse,
    [name = ""]: readonly string[],
    url: URL,
  ): Promise<void> {
    const mount = url.searchParams.get("mount") ?? "";
    if (isDigest(mount) && (await this.#store.blobs.has(mount))) return this.#created(response, name, mount);
    const id = randomUUID();
    const digest = url.searchParams.get("digest");
    if (digest !== null) return this.#finish(request, response, name, id, digest);
    await this.#uploads.append(id, undefined);
    response.writeHead(202, this.#place(name, id, 0)).end();
  }

  async patch(
    request: IncomingMessage,
    response: ServerResponse,
    [name = "", id = ""]: readonly string[],
  ): Promise<void> {
    const have = await this.#uploads.size(id);
    const start = /^(?:bytes )?(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
    if (start !== undefined && Number(start) !== have) {
      response.writeHead(416, this.#place(name, id, have)).end();
      return;
    }
    await this.#uploads.append(id, request);
    response.writeHead(202, this.#place(name, id, await this.#uploads.size(id))).end();
  }

  async end(
    request: IncomingMessage,
    response: ServerResponse,
    [name = "", id = ""]: readonly string[],
    url: URL,
  ): Promise<void> {
    await this.#uploads.size(id);
    await this.#finish(request, response, name, id, url.searchParams.get("digest") ?? "");
  }

  async status(
    _: IncomingMessage,
    response: ServerResponse,
    [name = "", id = ""]: readonly string[],
  ): Promise<void> {
    response.writeHead(204, this.#place(name, id, await this.#uploads.size(id))).end();
  }

  async cancel(_: IncomingMessage, response: ServerResponse, [, id = ""]: readonly string[]): Promise<void> {
    await this.#uploads.size(id);
    await this.#uploads.cancel(id);
    response.writeHead(204).end();
  }

  #place(name: string, id: string, have: number): Record<string, string | number> {
    return {
      location: `/v2/${name}/blobs/uploads/${id}`,
      range: `0-${Math.max(0, have - 1)}`,
      "docker-upload-uuid": id,
      ...(have >= 0 ? { "content-length": 0 } : {}),
    };
  }

  /** Takes the last bytes; the blob stays until a manifest names it, or for an hour. */
  async #finish(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    id: string,
    digest: string,
  ): Promise<void> {
    const lease = this.#leases.take();
    lease.hold(digest);
    setTimeout(() => lease.release(), UNNAMED).unref();
    await this.#uploads.append(id, request);
    await this.#uploads.finish(id, digest);
    this.#created(response, name, digest);
  }

  #created(response: ServerResponse, name: string, digest: string): void {
    response
      .writeHead(201, {
        location: `/v2/${name}/blobs/${digest}`,
        "docker-content-digest": digest,
        "content-length": 0,
      })
      .end();
  }
}
