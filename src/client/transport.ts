import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import type { Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import type { Filters } from "./types/common.ts";
import { failureOf, interrupted, unreachable } from "./failures.ts";
import { textOf } from "./frames.ts";

/** Where an engine listens. */
export type Endpoint = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export type QueryValue = string | number | boolean | undefined | readonly string[];

export interface Call {
  readonly query?: Readonly<Record<string, QueryValue>>;
  /** Encoded as the `filters` parameter. */
  readonly filters?: Filters | undefined;
  readonly json?: unknown;
  /** A body that is not JSON. */
  readonly body?: Readable | Buffer;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** The newest API version whose answers are understood here; an older engine is spoken to in its own. */
const API_VERSION = "1.45";

/** Calls over one engine's socket. Connections are kept and used again. */
export class Transport {
  readonly address: string;
  readonly #endpoint: Endpoint;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 8 });
  #version = API_VERSION;

  constructor(address: string, endpoint: Endpoint) {
    this.address = address;
    this.#endpoint = endpoint;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @returns the body, parsed */
  async json<T>(method: string, path: string, call: Call = {}): Promise<T> {
    return JSON.parse(await textOf(await this.open(method, path, call))) as T;
  }

  /** For calls whose answer is their status. 304, "it is so already", is no failure. */
  async done(method: string, path: string, call: Call = {}): Promise<void> {
    await textOf(await this.open(method, path, call));
  }

  /**
   * Sends a request and resolves when the answer begins.
   *
   * @throws {EngineFailure} if its status is 400 or more
   * @throws {AppError} ENGINE_UNREACHABLE, INTERRUPTED
   */
  async open(method: string, path: string, call: Call = {}): Promise<IncomingMessage> {
    const response = await this.#send(method, path, call);
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    const text = await textOf(response);
    // A stream can be sent once only; it is never the first request of a command.
    if (status === 400 && !(call.body instanceof Readable) && this.#lowerVersion(text)) {
      return this.open(method, path, call);
    }
    throw failureOf(status, text);
  }

  /** Sends a request that makes the connection a stream of bytes in both directions. */
  async hijack(path: string, call: Call): Promise<Duplex> {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const [options, body] = this.#prepare("POST", path, call);
    const sent = httpRequest({
      ...options,
      agent: false,
      headers: { ...options.headers, Connection: "Upgrade", Upgrade: "tcp" },
    });
    sent.once("upgrade", (_response: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      socket.setNoDelay(true);
      resolve(socket);
    });
    sent.once("response", (response: IncomingMessage) => {
      textOf(response).then((text) => reject(failureOf(response.statusCode ?? 0, text)), reject);
    });
    sent.once("error", (error) => reject(this.#failure(error, call.signal)));
    sent.end(body);
    return promise;
  }

  async #send(method: string, path: string, call: Call): Promise<IncomingMessage> {
    const [options, body] = this.#prepare(method, path, call);
    for (;;) {
      const sent = httpRequest(options);
      const answer = Promise.withResolvers<IncomingMessage>();
      sent.once("response", answer.resolve);
      sent.once("error", answer.reject);
      if (body instanceof Readable) body.once("error", (error) => sent.destroy(error)).pipe(sent);
      else sent.end(body);
      try {
        return await answer.promise;
      } catch (error) {
        // The engine closed an idle connection as we took it; nothing was done yet.
        const stale = sent.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET";
        if (!stale || body instanceof Readable) throw this.#failure(error, call.signal);
      }
    }
  }

  #prepare(
    method: string,
    path: string,
    call: Call,
  ): [RequestOptions, Readable | Buffer | string | undefined] {
    const headers: Record<string, string | number> = { Host: "slipway", ...call.headers };
    const body = call.json === undefined ? call.body : JSON.stringify(call.json);
    if (call.json !== undefined) headers["Content-Type"] = "application/json";
    else if (call.contentType !== undefined) headers["Content-Type"] = call.contentType;
    if (typeof body === "string") headers["Content-Length"] = Buffer.byteLength(body);
    else if (Buffer.isBuffer(body)) headers["Content-Length"] = body.length;
    else if (body === undefined && method !== "GET" && method !== "HEAD") headers["Content-Length"] = 0;
    const prefix = path.startsWith("/slipway/") ? "" : `/v${this.#version}`;
    const options: RequestOptions & { readonly servername: string } = {
      ...this.#endpoint,
      method,
      path: `${prefix}${path}${queryOf(call)}`,
      headers,
      agent: this.#agent,
      // Else the agent works out one for TLS: 5 ms of a short command, for a pattern of IPv6 addresses.
      servername: "",
      ...(call.signal && { signal: call.signal }),
    };
    return [options, body];
  }

  /** Whether the answer says that the engine is older than we are; from now on it is spoken to in its version. */
  #lowerVersion(text: string): boolean {
    const supported = /Maximum supported API version is (\d+\.\d+)/.exec(text)?.[1];
    if (supported === undefined || supported === this.#version) return false;
    this.#version = supported;
    return true;
  }

  #failure(error: unknown, signal: AbortSignal | undefined): Error {
    return signal?.aborted === true ? interrupted(error) : unreachable(this.address, error);
  }
}

function queryOf(call: Call): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value === undefined) continue;
    if (typeof value === "object") for (const one of value) params.append(name, one);
    else params.append(name, String(value));
  }
  if (call.filters !== undefined) params.append("filters", JSON.stringify(call.filters));
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/** A name as one part of a path. Slashes and colons of image names stay, as Docker's own clients leave them. */
export function segment(name: string): string {
  return encodeURIComponent(name).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%40", "@");
}
