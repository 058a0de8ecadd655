import type { Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import type { Request } from "./connection.ts";
import { failureOf, interrupted, unreachable } from "./failures.ts";
import { textOf } from "./frames.ts";
import { type Endpoint, HttpClient } from "./http.ts";
import { Reply } from "./reply.ts";
import type { Filters } from "./types/common.ts";

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
  readonly #http: HttpClient;
  #version = API_VERSION;

  constructor(address: string, endpoint: Endpoint, socket?: Socket) {
    this.address = address;
    this.#http = new HttpClient(endpoint, socket);
  }

  close(): void {
    this.#http.close();
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
  async open(method: string, path: string, call: Call = {}): Promise<Reply> {
    const response = await this.#send((request) => this.#http.send(request), method, path, call);
    const { status } = response;
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
    const upgrade = { Connection: "Upgrade", Upgrade: "tcp" };
    const asked: Call = { ...call, headers: { ...call.headers, ...upgrade } };
    const answer = await this.#send((request) => this.#http.upgrade(request), "POST", path, asked);
    if (answer instanceof Reply) throw failureOf(answer.status, await textOf(answer));
    return answer;
  }

  async #send<T>(
    how: (request: Request) => Promise<T>,
    method: string,
    path: string,
    call: Call,
  ): Promise<T> {
    const request = this.#prepare(method, path, call);
    try {
      return await how(request);
    } catch (error) {
      throw this.#failure(error, call.signal);
    }
  }

  #prepare(method: string, path: string, call: Call): Request {
    const headers: Record<string, string | number> = { Host: "slipway", ...call.headers };
    const body = call.json === undefined ? call.body : JSON.stringify(call.json);
    if (call.json !== undefined) headers["Content-Type"] = "application/json";
    else if (call.contentType !== undefined) headers["Content-Type"] = call.contentType;
    if (typeof body === "string") headers["Content-Length"] = Buffer.byteLength(body);
    else if (Buffer.isBuffer(body)) headers["Content-Length"] = body.length;
    else if (body === undefined && method !== "GET" && method !== "HEAD") headers["Content-Length"] = 0;
    const prefix = path.startsWith("/slipway/") ? "" : `/v${this.#version}`;
    return { method, path: `${prefix}${path}${queryOf(call)}`, headers, body, signal: call.signal };
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
