import type { IncomingMessage } from "node:http";
import { EngineError } from "../../errors.ts";
import { digestOf } from "../digest.ts";
import { familiarName, type Reference } from "../reference.ts";
import type { RegistryAuth } from "../types.ts";
import type { Authorizer } from "./auth.ts";
import { bodyOf } from "./body.ts";
import { networkFailure, readFailure, writeFailure } from "./failures.ts";
import { ACCEPT, type Descriptor, MANIFEST_LIMIT, parseManifest, type RawManifest } from "./manifest.ts";
import { retry } from "./retry.ts";
import { isLoopback, schemesOf } from "./settings.ts";
import { SHARE_HEADER } from "./share.ts";
import type { HttpRequest, Transport } from "./transport.ts";

export interface SessionOptions {
  readonly auth?: RegistryAuth;
  readonly signal?: AbortSignal;
}

interface Endpoint {
  readonly base: string; // "https://host:port"
  readonly authorizer: Authorizer;
  readonly mirror: boolean;
}

/** A request within a repository: `path` follows /v2/NAME/. */
interface Call extends Omit<HttpRequest, "url"> {
  readonly path: string;
  readonly scope: string;
}

const DOCKER_HUB = "registry-1.docker.io";
const CATALOG_LIMIT = 100_000;
const BAD_REQUEST = 400;
/** How often a request is sent again with another token. */
const RENEWALS = 2;

/** What is done with one repository of one registry, in the protocol of OCI's distribution-spec. */
export class RegistrySession {
  readonly #transport: Transport;
  readonly #reference: Reference;
  readonly #signal: AbortSignal | undefined;
  readonly #endpoints: Endpoint[];
  /** The endpoint that answered: a plain registry is found out only once. */
  #chosen: Endpoint | undefined;
  /** Where a registry of this machine has its blobs. */
  #neighbour: string | undefined;

  constructor(transport: Transport, reference: Reference, options: SessionOptions = {}) {
    this.#transport = transport;
    this.#reference = reference;
    this.#signal = options.signal;
    const host = reference.domain === "docker.io" ? DOCKER_HUB : reference.domain;
    const { settings } = transport;
    const mirrors = settings.mirrors[reference.domain] ?? settings.mirrors["*"] ?? [];
    const authorizer = transport.known.authorizer(transport, host, options.auth);
    const wanted = schemesOf(settings, host);
    const schemes = transport.known.isPlain(host) ? wanted.toReversed() : wanted;
    this.#endpoints = [
      // Credentials are for the registry they were given for, and never go to a mirror of it.
      ...mirrors.map((base) => ({
        base: base.replace(/\/$/, ""),
        authorizer: transport.known.authorizer(transport, base, undefined),
        mirror: true,
      })),
      ...schemes.map((scheme) => ({ base: `${scheme}://${host}`, authorizer, mirror: false })),
    ];
  }

  get #path(): string {
    return this.#reference.path;
  }

  get #name(): string {
    return familiarName(this.#reference);
  }

  get #pullScope(): string {
    return `repository:${this.#path}:pull`;
  }

  get pushScope(): string {
    return `repository:${this.#path}:pull,push`;
  }

  /**
   * The digest a tag has now, by one HEAD request.
   *
   * @returns undefined if the registry does not say
   */
  async head(tag: string): Promise<Descriptor | undefined> {
    const response = await retry(async () => {
      const answer = await this.#call({
        method: "HEAD",
        path: `manifests/${tag}`,
        scope: this.#pullScope,
        headers: { accept: ACCEPT },
      });
      answer.resume();
      if (answer.statusCode === 200) return answer;
      throw await readFailure(answer, this.#name, `manifest for ${this.#shown(tag)}`);
    }, this.#attempts());
    const digest = response.headers["docker-content-digest"];
    if (typeof digest !== "string") return undefined;
    return {
      digest,
      size: Number(response.headers["content-length"] ?? 0),
      mediaType: response.headers["content-type"] ?? "",
    };
  }

  /** @param name a tag or a digest @throws {EngineError} notFound, forbidden, invalid if the digest is another one */
  async manifest(name: string): Promise<RawManifest> {
    return retry(async () => {
      const response = await this.#call({
        method: "GET",
        path: `manifests/${name}`,
        scope: this.#pullScope,
        headers: { accept: ACCEPT, ...(this.#mayShare && { [SHARE_HEADER]: "?" }) },
      });
      if (response.statusCode !== 200)
        throw await readFailure(response, this.#name, `manifest for ${this.#shown(name)}`);
      const neighbour = response.headers[SHARE_HEADER];
      if (this.#mayShare && typeof neighbour === "string") this.#neighbour = neighbour;
      const bytes = await bodyOf(response, MANIFEST_LIMIT);
      const manifest = parseManifest(bytes, response.headers["content-type"] ?? "");
      if (name.startsWith("sha256:") && manifest.digest !== name) {
        throw new EngineError("invalid", `manifest verification failed for digest ${name}`);
      }
      return manifest;
    }, this.#attempts());
  }

  /** A small blob, such as a configuration, checked. */
  async smallBlob({ digest }: Descriptor): Promise<Buffer> {
    return retry(async () => {
      const response = await this.#call({ method: "GET", path: `blobs/${digest}`, scope: this.#pullScope });
      if (response.statusCode !== 200) throw await readFailure(response, this.#name, `blob ${digest}`);
      const bytes = await bodyOf(response, MANIFEST_LIMIT);
      if (digestOf(bytes) !== digest)
        throw new EngineError("invalid", `filesystem layer verification failed for digest ${digest}`);
      return bytes;
    }, this.#attempts());
  }

  /** A blob from `offset` on: a 206 response, or a 200 with all of it where the server cannot begin amid it. */
  async blob({ digest, urls }: Descriptor, offset: number): Promise<IncomingMessage> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const response = await this.#call({
      method: "GET",
      path: `blobs/${digest}`,
      scope: this.#pullScope,
      headers,
    });
    const { statusCode = 0 } = response;
    if (statusCode === 200 || statusCode === 206 || statusCode === 416) return response;
    const elsewhere = urls?.find((url) => /^https?:\/\//.test(url));
    if (statusCode === 404 && elsewhere !== undefined) {
      response.resume();
      return this.#transport.send({ method: "GET", url: new URL(elsewhere), headers, ...this.#abortable() });
    }
    throw await readFailure(response, this.#name, `blob ${digest}`);
  }

  async hasBlob(digest: string): Promise<boolean> {
    return retry(async () => {
      const response = await this.#call({ method: "HEAD", path: `blobs/${digest}`, scope: this.pushScope });
      response.resume();
      if (response.statusCode === 200) return true;
      if (response.statusCode === 404) return false;
      throw await readFailure(response, this.#name, `blob ${digest}`);
    }, this.#attempts());
  }

  /** The repositories of the registry, as far as it lists them. @throws {EngineError} notFound where it does not */
  catalog(): Promise<string[]> {
    return this.#list("/v2/_catalog?n=1000", "repositories", "registry:catalog:*");
  }

  /** The tags of the repository, in the registry's order. */
  tags(): Promise<string[]> {
    return this.#list("tags/list", "tags", this.#pullScope);
  }

  /** All pages of a list. */
  async #list(first: string, field: "repositories" | "tags", scope: string): Promise<string[]> {
    const names: string[] = [];
    for (let path: string | undefined = first; path !== undefined && names.length < CATALOG_LIMIT; ) {
      const response = await this.#call({ method: "GET", path, scope });
      if (response.statusCode !== 200) throw await readFailure(response, this.#name, `list of ${field}`);
      const answer = JSON.parse((await bodyOf(response, MANIFEST_LIMIT)).toString("utf8")) as {
        [name in typeof field]?: string[] | null;
      };
      names.push(...(answer[field] ?? []));
      path = /<([^>]+)>\s*;\s*rel="?next/.exec(String(response.headers["link"] ?? ""))?.[1];
    }
    return names;
  }

  /** A call of an upload or of a manifest's push; `path` may be the whole URL that the registry gave. */
  async write(call: Omit<Call, "scope">, scope = this.pushScope): Promise<IncomingMessage> {
    return this.#call({ ...call, scope });
  }

  /** The error for an upload, or a manifest, that the registry does not take. */
  failure(response: IncomingMessage, what: string): Promise<Error> {
    return writeFailure(response, this.#name, what);
  }

  /** The directory of blobs of a registry on this machine, as far as its files were what they are called. */
  get neighbour(): string | undefined {
    return this.#neighbour;
  }

  /** What it has is not what it says: no more is taken from there. */
  distrust(): void {
    this.#neighbour = undefined;
  }

  get #mayShare(): boolean {
    return isLoopback(this.#reference.domain) && this.#endpoints.every(({ mirror }) => !mirror);
  }

  #shown(name: string): string {
    return `${this.#name}${name.includes(":") ? "@" : ":"}${name}`;
  }

  #attempts(): { signal?: AbortSignal } {
    return this.#signal === undefined ? {} : { signal: this.#signal };
  }

  #abortable(): { signal?: AbortSignal } {
    return this.#attempts();
  }

  async #call(call: Call): Promise<IncomingMessage> {
    const candidates =
      this.#chosen === undefined
        ? this.#endpoints.filter(({ mirror }) => !mirror || call.method === "GET" || call.method === "HEAD")
        : [this.#chosen];
    for (const [at, endpoint] of candidates.entries()) {
      const last = at === candidates.length - 1;
      try {
        const response = await this.#authorized(endpoint, call);
        if (endpoint.mirror && !last && (response.statusCode ?? 500) >= 400) {
          response.resume();
          continue;
        }
        // It speaks TLS by now: programs answer so to plain requests there.
        if (!last && response.statusCode === BAD_REQUEST && this.#isPlain(endpoint)) {
          response.resume();
          continue;
        }
        // A mirror may have some of the repository only.
        if (!endpoint.mirror) this.#choose(endpoint);
        return response;
      } catch (error) {
        // A refusal is an answer: it is not asked for again, least of all in plain text.
        if (error instanceof EngineError && !endpoint.mirror) throw error;
        if (last || this.#signal?.aborted) throw networkFailure(error, `${endpoint.base}/v2/`);
      }
    }
    throw new EngineError("unavailable", `no endpoint for ${this.#reference.domain}`);
  }

  #isPlain({ base, mirror }: Endpoint): boolean {
    return !mirror && base.startsWith("http:");
  }

  #choose(endpoint: Endpoint): void {
    this.#chosen = endpoint;
    this.#transport.known.notePlain(new URL(endpoint.base).host, this.#isPlain(endpoint));
  }

  async #authorized({ base, authorizer }: Endpoint, call: Call): Promise<IncomingMessage> {
    const url = new URL(call.path, `${base}/v2/${this.#path}/`);
    for (let tried = 0; ; tried++) {
      // A Location may name another host, which is given nothing.
      const own = url.host === new URL(base).host ? authorizer.header(call.scope) : undefined;
      const headers = { ...call.headers, ...(own === undefined ? {} : { authorization: own }) };
      const response = await this.#transport.send({ ...call, url, headers, ...this.#abortable() });
      const challenge = response.headers["www-authenticate"];
      // The token that another request fetched meanwhile may have run out, too.
      if (response.statusCode !== 401 || challenge === undefined || tried === RENEWALS) return response;
      // A body that is a stream is gone by now; its caller begins anew.
      if (call.body !== undefined && !(call.body instanceof Uint8Array)) return response;
      if (!(await authorizer.answer(challenge, call.scope, own, this.#signal))) {
        if (own !== undefined || !authorizer.lacksLogin) return response;
        response.resume();
        const asked = `${call.method[0]}${call.method.slice(1).toLowerCase()} "${url}": `;
        throw new EngineError("forbidden", `${isWrite(call) ? "" : asked}no basic auth credentials`);
      }
      response.resume();
    }
  }
}

/** What belongs to a push: there Docker does not say which request it was. */
function isWrite({ method, scope }: Call): boolean {
  return (method !== "GET" && method !== "HEAD") || scope.includes(":pull,push");
}
