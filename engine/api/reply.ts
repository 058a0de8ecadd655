import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Writable } from "node:stream";
import { EngineError, messageOf } from "../errors.ts";
import { acceptUpgrade, takeConnection } from "./hijack.ts";
import type { Progress, Reply } from "./router.ts";
import { statusOf } from "./status.ts";
import { JsonStream } from "./stream.ts";

/** Replies over a ServerResponse, or over the bare connection of a request that asked for an upgrade. */
export class HttpReply implements Reply {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #upgraded: Duplex | undefined;
  readonly #headers: Record<string, string> = {};
  #progress: JsonStream | undefined;
  #hijacked: Duplex | undefined;

  /** @param upgraded the connection, if Node has let go of it because the client asked for an upgrade */
  constructor(request: IncomingMessage, response: ServerResponse, upgraded?: Duplex) {
    this.#request = request;
    this.#response = response;
    this.#upgraded = upgraded;
  }

  header(name: string, value: string): void {
    this.#headers[name] = value;
    this.#response.setHeader(name, value);
  }

  json(status: number, value: unknown): void {
    this.#whole(status, "application/json", `${JSON.stringify(value)}\n`);
  }

  empty(status: number): void {
    // 204 and 304 have no body by definition, and must not say so.
    this.#response.writeHead(status, status === 204 || status === 304 ? {} : { "Content-Length": 0 });
    this.#response.end();
  }

  text(status: number, text: string): void {
    this.#whole(status, "text/plain; charset=utf-8", text);
  }

  stream(status: number, contentType: string): Writable {
    this.#response.writeHead(status, { "Content-Type": contentType });
    this.#response.flushHeaders();
    return this.#response;
  }

  progress(): Progress {
    this.#progress = new JsonStream(this.#response);
    return this.#progress;
  }

  async hijack(contentType: string): Promise<Duplex> {
    if (this.#upgraded !== undefined) {
      this.#response.detachSocket(this.#request.socket);
      this.#hijacked = acceptUpgrade(this.#upgraded, this.#request, contentType, this.#headers);
    } else {
      if (!this.#request.readableEnded) {
        this.#request.resume();
        await once(this.#request, "end");
      }
      this.#hijacked = takeConnection(this.#request, this.#response);
    }
    return this.#hijacked;
  }

  /** Whether the connection is no longer HTTP's. */
  get isHijacked(): boolean {
    return this.#hijacked !== undefined;
  }

  /** Tells the client of an error, in whatever way is still open. Returns the status it saw. */
  fail(error: unknown): number {
    if (this.#hijacked !== undefined) {
      this.#hijacked.destroy();
      return 0;
    }
    if (!this.#response.headersSent) {
      const status = statusOf(error);
      if (status === 304) this.empty(status);
      else this.json(status, { message: messageOf(error) });
      return status;
    }
    if (this.#progress !== undefined) this.#progress.fail(error);
    // A cut-off body is the only sign of failure left.
    else if (!this.#response.writableEnded) this.#response.destroy();
    return this.#response.statusCode;
  }

  #whole(status: number, contentType: string, text: string): void {
    if (this.#response.headersSent) throw new EngineError("system", "the reply has already begun");
    const body = Buffer.from(text);
    this.#response.writeHead(status, { "Content-Type": contentType, "Content-Length": body.length });
    this.#response.end(this.#request.method === "HEAD" ? undefined : body);
  }
}
