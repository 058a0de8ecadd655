import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { rootCertificates } from "node:tls";
import { KnownRegistries } from "./known.ts";
import { isInsecure, isLoopback, type RegistrySettings, tlsFiles, tlsStamp } from "./settings.ts";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
  readonly signal?: AbortSignal;
}

const REDIRECTS = 5;
/** Without a byte for so long a connection counts as dead. Milliseconds. */
const SILENCE = 60_000;
const USER_AGENT = "slipway/0.1";

/** HTTP to registries: connections kept, own certificate authorities, proxies of the environment, redirects. */
export class Transport {
  readonly known = new KnownRegistries();
  readonly #settings: RegistrySettings;
  readonly #env: NodeJS.ProcessEnv;
  readonly #silence: number;
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>();

  /**
   * @param env names proxies, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY do
   * @param silence milliseconds without a byte after which a server counts as gone
   */
  constructor(settings: RegistrySettings, env: NodeJS.ProcessEnv = process.env, silence = SILENCE) {
    this.#settings = settings;
    this.#env = env;
    this.#silence = silence;
  }

  get settings(): RegistrySettings {
    return this.#settings;
  }

  /**
   * Sends a request; redirects of GET and HEAD are followed, to another host without the Authorization header, which
   * is nobody else's business.
   */
  async send(request: HttpRequest): Promise<IncomingMessage> {
    let { url, headers = {} } = request;
    for (let hop = 0; ; hop++) {
      const response = await this.#once({ ...request, url, headers });
      const { location } = response.headers;
      const moved = [301, 302, 303, 307, 308].includes(response.statusCode ?? 0);
      if (!moved || location === undefined || hop === REDIRECTS || !["GET", "HEAD"].includes(request.method))
        return response;
      response.resume();
      const next = new URL(location, url);
      if (next.host !== url.host) {
        const { authorization: _, ...others } = headers;
        headers = others;
      }
      url = next;
    }
  }

  #once(request: HttpRequest): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { url, method, body, signal } = request;
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const outgoing = send(url, {
      method,
      agent: this.#agent(url),
      headers: { "user-agent": USER_AGENT, ...request.headers },
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.setTimeout(this.#silence, () => outgoing.destroy(new Error(`${url.host} is silent`)));
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    if (body === undefined) outgoing.end();
    else if (body instanceof Uint8Array) outgoing.end(body);
    else {
      body.on("error", (error) => outgoing.destroy(error));
      outgoing.once("close", () => body.destroy());
      body.pipe(outgoing);
    }
    return promise;
  }

  #agent(url: URL): HttpAgent | HttpsAgent {
    // Certificates that were put there meanwhile count from now on; what is under way keeps its connection.
    const stamp = url.protocol === "https:" ? tlsStamp(this.#settings, url.host) : "";
    const key = `${url.protocol}//${url.host} ${stamp}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      // No proxy stands between us and ourselves.
      const proxyEnv = isLoopback(url.host) ? undefined : this.#env;
      const common = { keepAlive: true, maxSockets: 16, ...(proxyEnv && { proxyEnv }) };
      agent =
        url.protocol === "https:"
          ? new HttpsAgent({ ...common, ...this.#tls(url.host) })
          : new HttpAgent(common);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  #tls(host: string): object {
    const { ca, ...client } = tlsFiles(this.#settings, host);
    return {
      ...client,
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ...ca] }),
      rejectUnauthorized: ca !== undefined || !isInsecure(this.#settings, host),
    };
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }
}
