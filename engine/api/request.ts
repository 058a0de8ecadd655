import type { IncomingMessage } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { parseJson, readAll } from "./body.ts";
import type { Query } from "./query.ts";
import type { ApiRequest, Method } from "./router.ts";

/** A request as routes see it. */
export class HttpRequest implements ApiRequest {
  readonly method: Method;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly version: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readable;
  readonly #connection: Duplex;
  readonly #isDone: () => boolean;
  #gone: AbortController | undefined;

  constructor(parts: {
    readonly message: IncomingMessage;
    readonly params: Readonly<Record<string, string>>;
    readonly query: Query;
    readonly version: number;
    /** The body of a request that asks for an upgrade; else the message is the body. */
    readonly body?: Buffer;
    /** Whether the reply is complete, so that the end of the connection means nothing. */
    readonly isDone: () => boolean;
  }) {
    this.method = parts.message.method as Method;
    this.params = parts.params;
    this.query = parts.query;
    this.version = parts.version;
    this.headers = parts.message.headers;
    this.body =
      parts.body === undefined
        ? parts.message
        : Readable.from(parts.body.length > 0 ? [parts.body] : [], { objectMode: false });
    this.#connection = parts.message.socket;
    this.#isDone = parts.isDone;
  }

  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      const leave = (): void => {
        if (!this.#isDone()) gone.abort();
      };
      if (this.#connection.destroyed) leave();
      else this.#connection.once("close", leave);
      this.#gone = gone;
    }
    return this.#gone.signal;
  }

  async json<T extends object>(empty?: T): Promise<T> {
    return parseJson(await readAll(this.body), this.headers["content-type"], empty);
  }
}
