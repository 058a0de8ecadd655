/** A registry of one's own: OCI's distribution API over the blobs of the image store. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { EngineError, messageOf } from "../../../errors.ts";
import type { Leases } from "../../leases.ts";
import type { ImageStore } from "../../store.ts";
import { bodyOf } from "../body.ts";
import { MANIFEST_LIMIT } from "../manifest.ts";
import { isLocal, SHARE_HEADER } from "../share.ts";
import { checkBcrypt } from "./bcrypt.ts";
import { BlobService } from "./blob-service.ts";
import { Refusal } from "./refusal.ts";
import { MissingBlob, type Repositories } from "./repositories.ts";

export interface ServiceOptions {
  readonly host: string;
  readonly port: number; // 0: any
  /** Lines of `user:bcrypt hash`; without it everybody may pull and push. */
  readonly htpasswd?: string;
  readonly tls?: { readonly cert: string; readonly key: string }; // PEM
  readonly readonly?: boolean;
  /** Told of every request that was answered. */
  log?(line: string): void;
}

export interface Service {
  readonly address: string; // "127.0.0.1:5000"
  close(): Promise<void>;
}

/** Milliseconds without a byte after which a client counts as gone. */
const SILENCE = 60_000;
/** A blob may take hours to arrive, its request's head may not. Milliseconds; 0: for ever. */
const LIMITS = { headersTimeout: 20_000, requestTimeout: 0, connectionsCheckingInterval: 5_000 };

const NAME = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*";
const TAG = "[\\w][\\w.-]{0,127}";

type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  params: readonly string[],
  url: URL,
) => Promise<void>;

/** Starts to serve. @throws the error of listen(2), such as EADDRINUSE */
export async function serveRegistry(
  store: ImageStore,
  repositories: Repositories,
  leases: Leases,
  options: ServiceOptions,
): Promise<Service> {
  const registry = new Registry(store, repositories, leases, options);
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    void registry.answer(request, response);
  const server: Server =
    options.tls === undefined
      ? createServer(LIMITS, answer)
      : createTlsServer({ ...LIMITS, ...options.tls }, answer);
  server.setTimeout(SILENCE);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Registry {
  readonly #store: ImageStore;
  readonly #repositories: Repositories;
  readonly #blobs: BlobService;
  readonly #options: ServiceOptions;
  readonly #users: ReadonlyMap<string, string>;
  /** Logins that were checked: bcrypt is slow on purpose, and clients send theirs with every request. */
  readonly #known = new Set<string>();
  readonly #routes: readonly (readonly [methods: string, pattern: RegExp, handler: Handler])[];

  constructor(store: ImageStore, repositories: Repositories, leases: Leases, options: ServiceOptions) {
    this.#store = store;
    this.#repositories = repositories;
    this.#blobs = new BlobService(store, leases);
    this.#options = options;
    this.#users = new Map(
      (options.htpasswd ?? "")
        .split("\n")
        .filter((line) => line.includes(":"))
        .map((line) => line.trim().split(/:(.*)/s) as [string, string]),
    );
    const route = (methods: string, path: string, handler: Handler) =>
      [methods, new RegExp(`^/v2/${path}$`), handler] as const;
    this.#routes = [
      route("GET", "", async (_, response) => send(response, 200, "{}")),
      route("GET", "_catalog", async (_, response, __, url) =>
        this.#list(response, url, "repositories", this.#repositories.names()),
      ),
      route("GET", `(${NAME})/tags/list`, (_, response, [name = ""], url) => this.#tags(response, url, name)),
      route("GET HEAD", `(${NAME})/manifests/(${TAG}|sha256:[0-9a-f]{64})`, (request, response, params) =>
        this.#getManifest(request, response, params),
      ),
      route("PUT", `(${NAME})/manifests/(${TAG}|sha256:[0-9a-f]{64})`, (request, response, params) =>
        this.#putManifest(request, response, params),
      ),
      route("DELETE", `(${NAME})/manifests/(${TAG}|sha256:[0-9a-f]{64})`, (request, response, params) =>
        this.#removeManifest(request, response, params),
      ),
      route("GET HEAD", `(${NAME})/blobs/(sha256:[0-9a-f]{64})`, (request, response, params) =>
        this.#blobs.get(request, response, params),
      ),
      route("POST", `(${NAME})/blobs/uploads/?`, (...call) => this.#blobs.begin(...call)),
      route("PATCH", `(${NAME})/blobs/uploads/([0-9a-f-]{36})`, (request, response, params) =>
        this.#blobs.patch(request, response, params),
      ),
      route("PUT", `(${NAME})/blobs/uploads/([0-9a-f-]{36})`, (...call) => this.#blobs.end(...call)),
      route("GET", `(${NAME})/blobs/uploads/([0-9a-f-]{36})`, (request, response, params) =>
        this.#blobs.status(request, response, params),
      ),
      route("DELETE", `(${NAME})/blobs/uploads/([0-9a-f-]{36})`, (request, response, params) =>
        this.#blobs.cancel(request, response, params),
      ),
    ];
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
    const url = new URL(request.url ?? "/", "http://registry");
    response.once("close", () =>
      this.#options.log?.(`${request.method} ${url.pathname} ${response.statusCode}`),
    );
    try {
      this.#authorize(request, response);
      for (const [methods, pattern, handler] of this.#routes) {
        const found = methods.split(" ").includes(request.method ?? "") ? pattern.exec(url.pathname) : null;
        if (found === null) continue;
        this.#checkWritable(request);
        return await handler(request, response, found.slice(1), url);
      }
      throw new Refusal(404, "UNSUPPORTED", "no such operation");
    } catch (error) {
      refuse(response, error);
    }
  }

  #checkWritable({ method = "" }: IncomingMessage): void {
    if (this.#options.readonly === true && method !== "GET" && method !== "HEAD") {
      throw new Refusal(405, "UNSUPPORTED", "this registry is read-only");
    }
  }

  #authorize({ headers }: IncomingMessage, response: ServerResponse): void {
    if (this.#options.htpasswd === undefined) return;
    const { authorization = "" } = headers;
    if (this.#known.has(authorization)) return;
    const login = /^Basic (.+)$/i.exec(authorization)?.[1] ?? "";
    const [user = "", password = ""] = Buffer.from(login, "base64").toString("utf8").split(/:(.*)/s);
    if (!checkBcrypt(password, this.#users.get(user) ?? "")) {
      response.setHeader("WWW-Authenticate", 'Basic realm="slipway registry"');
      throw new Refusal(401, "UNAUTHORIZED", "authentication required");
    }
    this.#known.add(authorization);
  }

  async #tags(response: ServerResponse, url: URL, name: string): Promise<void> {
    const tags = this.#repositories.tags(name);
    if (tags === undefined) throw new Refusal(404, "NAME_UNKNOWN", "repository name not known to registry");
    this.#list(response, url, "tags", tags, { name });
  }

  /** A page of at most `n` names after `last`, with the link to the next one. */
  #list(response: ServerResponse, url: URL, field: string, all: readonly string[], more: object = {}): void {
    const last = url.searchParams.get("last");
    const limit = Math.max(0, Number(url.searchParams.get("n") ?? all.length)) || all.length;
    const after = all.filter((name) => last === null || name > last);
    const page = after.slice(0, limit);
    if (after.length > page.length) {
      response.setHeader(
        "Link",
        `<${url.pathname}?n=${limit}&last=${encodeURIComponent(page.at(-1) ?? "")}>; rel="next"`,
      );
    }
    send(response, 200, JSON.stringify({ ...more, [field]: page }));
  }

  async #getManifest(
    request: IncomingMessage,
    response: ServerResponse,
    [name = "", reference = ""]: readonly string[],
  ): Promise<void> {
    const found = await this.#repositories.find(name, reference);
    if (found === undefined) throw new Refusal(404, "MANIFEST_UNKNOWN", "manifest unknown");
    const isNeighbour = request.headers[SHARE_HEADER] !== undefined && isLocal(request.socket.remoteAddress);
    response.writeHead(200, {
      ...(isNeighbour && { [SHARE_HEADER]: this.#store.paths.blobs }),
      "content-type": found.mediaType,
      "content-length": found.bytes.length,
      "docker-content-digest": found.digest,
      etag: `"${found.digest}"`,
    });
    response.end(request.method === "HEAD" ? undefined : found.bytes);
  }

  async #putManifest(
    request: IncomingMessage,
    response: ServerResponse,
    [name = "", reference = ""]: readonly string[],
  ): Promise<void> {
    try {
      const bytes = await bodyOf(request, MANIFEST_LIMIT);
      const digest = await this.#repositories.put(
        name,
        reference,
        bytes,
        request.headers["content-type"] ?? "",
      );
      if (reference.startsWith("sha256:") && reference !== digest)
        throw new Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
      response
        .writeHead(201, {
          location: `/v2/${name}/manifests/${digest}`,
          "docker-content-digest": digest,
          "content-length": 0,
        })
        .end();
    } catch (error) {
      if (error instanceof MissingBlob) throw new Refusal(404, "MANIFEST_BLOB_UNKNOWN", error.message);
      if (error instanceof EngineError) throw new Refusal(400, "MANIFEST_INVALID", error.message);
      throw error;
    }
  }

  async #removeManifest(
    _: IncomingMessage,
    response: ServerResponse,
    [name = "", reference = ""]: readonly string[],
  ): Promise<void> {
    if (!(await this.#repositories.remove(name, reference)))
      throw new Refusal(404, "MANIFEST_UNKNOWN", "manifest unknown");
    response.writeHead(202, { "content-length": 0 }).end();
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    .end(body);
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code } = error instanceof Refusal ? error : { status: 500, code: "UNKNOWN" };
  send(response, status, JSON.stringify({ errors: [{ code, message: messageOf(error) }] }));
}
