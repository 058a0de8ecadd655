/** A registry on loopback that misbehaves as it is told: it cuts connections, forgets, asks for tokens, gets slow. */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { makeTar, type TarEntry } from "../../helpers/tar.ts";

export interface Misbehaviour {
  /** Cuts the connection after so many bytes of a blob, so many times. */
  cut?: { after: number; times: number };
  /** Answers so many requests for blobs with a status and a Retry-After of 0 seconds. */
  refuse?: { status: number; times: number };
  /** Blobs begin at 0 whatever range is asked for. */
  noRanges?: boolean;
  /** Blobs come with one byte changed. */
  corrupt?: boolean;
  /** Is told how many bytes of a blob are sent. */
  sent?: (bytes: number) => void;
  /** Sends so many bytes of a blob and then nothing, so many times. */
  stall?: { after: number; times: number };
  /** Answers so many requests of any kind with 503 and a Retry-After of 0 seconds. */
  busy?: number;
  /** Blobs are at another server, without the path's /v2/. */
  elsewhere?: string;
  /** A user and password, asked for directly or through a token server, whose tokens last for so many requests. */
  login?: { user: string; password: string; token: boolean; uses?: number };
  /** Cross-repository mounts are ordinary uploads. */
  noMount?: boolean;
  /** Cuts the connection when so many bytes of an upload's request are here, so many times. */
  cutUpload?: { after: number; times: number; forget?: boolean };
  /** Takes no more bytes of an upload in one request. */
  mostUpload?: number;
}

export class RegistryServer implements AsyncDisposable {
  readonly #server: Server;
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, { type: string; bytes: Buffer }>();
  readonly requests: string[] = [];
  /** Authorization headers of all requests, "" where there was none. */
  readonly authorizations: string[] = [];
  /** Bodies that the token server was sent. */
  readonly forms: URLSearchParams[] = [];
  #tokens = 0;
  #used = 0;
  readonly uploads = new Map<string, Buffer>();
  misbehaviour: Misbehaviour = {};

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(
        `${request.method} ${request.url?.replace(/[0-9a-f-]{36}/, "UUID").replace(/\?.*/, "")}`,
      );
      this.authorizations.push(request.headers.authorization ?? "");
      void this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async open(): Promise<RegistryServer> {
    const registry = new RegistryServer();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  add(bytes: Buffer): { digest: string; size: number } {
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    this.blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  }

  /** Puts an image of several layers under a name. @returns its manifest's digest */
  addImage(
    name: string,
    layers: readonly (readonly TarEntry[])[],
    options: { pack?: (tar: Buffer) => Buffer; architecture?: string } = {},
  ): string {
    const { pack = gzipSync, architecture = "amd64" } = options;
    const tars = layers.map((entries) => makeTar(entries));
    const diffIds = tars.map((tar) => `sha256:${createHash("sha256").update(tar).digest("hex")}`);
    const config = this.add(
      Buffer.from(
        JSON.stringify({
          architecture,
          os: "linux",
          config: { Cmd: ["sh"] },
          rootfs: { type: "layers", diff_ids: diffIds },
        }),
      ),
    );
    return this.addManifest(name, {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: tars.map((tar) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
        ...this.add(pack(tar)),
      })),
    });
  }

  addManifest(name: string, document: { mediaType: string; [field: string]: unknown }): string {
    const bytes = Buffer.from(JSON.stringify(document));
    const { digest } = this.add(bytes);
    const entry = { type: document.mediaType, bytes };
    this.manifests.set(name, entry);
    this.manifests.set(`${name.replace(/:.*/, "")}@${digest}`, entry);
    return digest;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", `http://${this.host}`);
    if ((this.misbehaviour.busy ?? 0) > 0) {
      this.misbehaviour.busy = (this.misbehaviour.busy ?? 0) - 1;
      response.writeHead(503, { "retry-after": "0" }).end();
      return;
    }
    if (url.pathname === "/token") return this.#token(request, url, response);
    if (!this.#isAllowed(request, response)) return;
    const [, repository = "", kind = "", rest = ""] =
      /^\/v2\/(.+)\/(manifests|blobs)\/(.*)$/.exec(url.pathname) ?? [];
    const lists = /^\/v2\/(.+)\/tags\/list$/.exec(url.pathname)?.[1];
    if (lists !== undefined) {
      const tags = [...this.manifests.keys()].filter((name) => name.startsWith(`${lists}:`));
      response.writeHead(200).end(JSON.stringify({ tags: tags.map((name) => name.slice(lists.length + 1)) }));
      return;
    }
    if (kind === "manifests") return this.#manifest(request, response, repository, rest);
    if (kind === "blobs" && rest.startsWith("uploads/"))
      return this.#upload(request, response, repository, url);
    if (kind === "blobs") return this.#blob(request, response, rest);
    response.writeHead(url.pathname === "/v2/" ? 200 : 404).end();
  }

  #isAllowed(request: IncomingMessage, response: ServerResponse): boolean {
    const { login } = this.misbehaviour;
    if (login === undefined) return true;
    const basic = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`;
    const isCurrent = login.token && request.headers.authorization === `Bearer token-${this.#tokens}`;
    if (isCurrent && this.#used++ < (login.uses ?? Number.POSITIVE_INFINITY)) return true;
    if (!login.token && request.headers.authorization === basic) return true;
    const challenge = login.token
      ? `Bearer realm="http://${this.host}/token",service="a, b",scope="repository:x:pull"`
      : 'Basic realm="x"';
    response
      .writeHead(401, { "www-authenticate": challenge })
      .end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    return false;
  }

  /** A token for the password, or for the token that stands for it; that one is given to who asks for it. */
  async #token(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const { login } = this.misbehaviour;
    const basic = `Basic ${Buffer.from(`${login?.user}:${login?.password}`).toString("base64")}`;
    const form = new URLSearchParams((await body(request)).toString());
    if (request.method === "POST") this.forms.push(form);
    const service = form.get("service") ?? url.searchParams.get("service");
    const isKnown = request.headers.authorization === basic || form.get("refresh_token") === "identity";
    if (!isKnown || service !== "a, b") return void response.writeHead(401).end("{}");
    this.#used = 0;
    const offline = url.searchParams.get("offline_token") === "true";
    const answer = { token: `token-${++this.#tokens}`, ...(offline && { refresh_token: "identity" }) };
    response.writeHead(200).end(JSON.stringify(answer));
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    name: string,
  ): Promise<void> {
    const key = name.startsWith("sha256:") ? `${repository}@${name}` : `${repository}:${name}`;
    if (request.method === "PUT") {
      const bytes = await body(request);
      this.addManifest(key, { ...(JSON.parse(bytes.toString()) as { mediaType: string }) });
      this.manifests.set(key, { type: request.headers["content-type"] ?? "", bytes });
      response.writeHead(201).end();
      return;
    }
    const found = this.manifests.get(key);
    if (found === undefined) {
      response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      return;
    }
    const digest = `sha256:${createHash("sha256").update(found.bytes).digest("hex")}`;
    const headers = {
      "content-type": found.type,
      "docker-content-digest": digest,
      "content-length": found.bytes.length,
    };
    response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : found.bytes);
  }

  #blob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const { cut, refuse, stall, noRanges = false, corrupt = false, elsewhere } = this.misbehaviour;
    if (elsewhere !== undefined && request.method === "GET") {
      response.writeHead(307, { location: `${elsewhere}/v2/x/blobs/${digest}` }).end();
      return;
    }
    const found = this.blobs.get(digest);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (request.method === "HEAD") {
      response.writeHead(200, { "content-length": found.length }).end();
      return;
    }
    if (refuse !== undefined && refuse.times-- > 0) {
      response.writeHead(refuse.status, { "retry-after": "0" }).end();
      return;
    }
    const bytes = Buffer.from(found);
    if (corrupt) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    const start = noRanges ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    this.misbehaviour.sent?.(bytes.length - start);
    const partial = !noRanges && request.headers.range !== undefined;
    response.writeHead(partial ? 206 : 200, {
      "content-length": bytes.length - start,
      ...(partial ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (stall !== undefined && bytes.length - start > stall.after && stall.times-- > 0) {
      response.write(bytes.subarray(start, start + stall.after));
      return;
    }
    if (cut === undefined || cut.times <= 0 || bytes.length - start <= cut.after) {
      response.end(bytes.subarray(start));
      return;
    }
    cut.times--;
    response.write(bytes.subarray(start, start + cut.after), () => response.destroy());
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    url: URL,
  ): Promise<void> {
    const mount = url.searchParams.get("mount");
    if (
      request.method === "POST" &&
      mount !== null &&
      this.blobs.has(mount) &&
      this.misbehaviour.noMount !== true
    ) {
      response.writeHead(201).end();
    } else if (request.method === "POST") {
      const id = randomUUID();
      this.uploads.set(id, Buffer.alloc(0));
      response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/${id}?state=x` }).end();
    } else {
      await this.#continue(request, response, url);
    }
  }

  async #continue(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const id = url.pathname.split("/").at(-1) ?? "";
    const have = this.uploads.get(id);
    if (have === undefined) return void response.writeHead(404).end();
    const place = (bytes: Buffer) => ({
      location: url.pathname,
      range: `0-${Math.max(0, bytes.length - 1)}`,
    });
    if (request.method === "DELETE") return void response.writeHead(204).end();
    if (request.method === "GET") return void response.writeHead(204, place(have)).end();
    const { cutUpload, mostUpload = Number.POSITIVE_INFINITY } = this.misbehaviour;
    if (Number(request.headers["content-length"]) > mostUpload) {
      await body(request);
      return void response.writeHead(413, { "oci-chunk-min-length": 1 }).end();
    }
    const start = /^(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
    if (start !== undefined && Number(start) !== have.length)
      return void response.writeHead(416, place(have)).end();
    const pieces = [have];
    let arrived = 0;
    for await (const piece of request) {
      pieces.push(piece as Buffer);
      arrived += (piece as Buffer).length;
      if (cutUpload === undefined || arrived < cutUpload.after || cutUpload.times <= 0) continue;
      cutUpload.times--;
      if (cutUpload.forget) this.uploads.delete(id);
      else this.uploads.set(id, Buffer.concat(pieces));
      return void request.destroy();
    }
    const now = Buffer.concat(pieces);
    this.uploads.set(id, now);
    if (request.method === "PATCH") return void response.writeHead(202, place(now)).end();
    const { digest } = this.add(now);
    response.writeHead(digest === url.searchParams.get("digest") ? 201 : 400).end();
  }
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
