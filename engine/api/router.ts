import type { IncomingHttpHeaders } from "node:http";
import type { Duplex, Readable, Writable } from "node:stream";
import type { Query } from "./query.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE";

/** One operation of the API. A handler that throws before it has replied is answered by the server, from the error's kind. */
export interface Route {
  readonly method: Method;
  /** `/containers/{id}/json`; `{name*}` may hold slashes, as image names do. */
  readonly path: string;
  handle(request: ApiRequest, reply: Reply): Promise<void>;
}

export interface ApiRequest {
  readonly method: Method;
  /** The values of the path's `{…}`, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  /** The version that the client speaks, as a number: 145 for 1.45. */
  readonly version: number;
  readonly headers: IncomingHttpHeaders;
  /** The raw body. Of a request that asks for an upgrade it is what Content-Length says, no more. */
  readonly body: Readable;
  /** Aborted when the client goes away before the reply is complete. */
  readonly signal: AbortSignal;
  /**
   * Reads the body as a JSON object.
   *
   * @param empty what an empty body stands for; without it an empty body is an error
   * @throws {EngineError} invalid, if the body is no JSON object or its Content-Type is another one
   */
  json<T extends object>(empty?: T): Promise<T>;
}

/** One of `json`, `empty`, `text`, `stream`, `progress` and `hijack` is called, once. */
export interface Reply {
  /** Adds a header; before the reply begins. */
  header(name: string, value: string): void;
  json(status: number, value: unknown): void;
  empty(status: number): void;
  text(status: number, text: string): void;
  /** Sends the headers at once and returns the body; the caller ends it. */
  stream(status: number, contentType: string): Writable;
  /** A stream of JSON messages, as builds, pulls and pushes have. */
  progress(): Progress;
  /**
   * Makes the connection a byte stream in both directions: by 101 if the client asked for an upgrade, else under a
   * plain 200, as dockerode wants it. The request's body has been consumed; what comes next is input. The readable
   * side ends when the client closes its half; the writable side is the handler's to end, and output after the
   * client's end is normal.
   *
   * @param contentType for the 101 answer; older clients and the plain answer get `application/vnd.docker.raw-stream`
   */
  hijack(contentType: string): Promise<Duplex>;
}

export interface Progress {
  /** Sends a message, ended by `\r\n`. The status line goes out with the first: until then an error has its own status. */
  write(message: object): void;
  end(): void;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a request. Literal paths go before those with parameters. */
export class Router {
  readonly #routes: readonly {
    readonly route: Route;
    readonly pattern: RegExp;
    readonly names: readonly string[];
  }[];

  constructor(routes: readonly Route[]) {
    this.#routes = [...routes]
      .sort((a, b) => Number(a.path.includes("{")) - Number(b.path.includes("{")))
      .map((route) => ({ route, ...compile(route.path) }));
  }

  /**
   * @param path without version prefix, still percent-encoded
   * @throws {URIError} if a parameter is not validly percent-encoded
   */
  match(method: string, path: string): Match | undefined {
    for (const { route, pattern, names } of this.#routes) {
      if (route.method !== method) continue;
      const found = pattern.exec(path);
      if (found === null) continue;
      const params = Object.fromEntries(
        names.map((name, at) => [name, decodeURIComponent(found[at + 1] ?? "")]),
      );
      return { route, params };
    }
    return undefined;
  }
}

function compile(path: string): { pattern: RegExp; names: string[] } {
  const names: string[] = [];
  const source = path.replace(/\{(\w+)(\*?)\}|[.+?()[\]\\^$|]/g, (whole, name?: string, greedy?: string) => {
    if (name === undefined) return `\\${whole}`;
    names.push(name);
    return greedy ? "(.+)" : "([^/]+)";
  });
  return { pattern: new RegExp(`^${source}$`), names };
}

/** What a URL says: the version it asks for, if any, the path and the query. Doubled slashes count as one. */
export function splitUrl(url: string): { version: string | undefined; path: string; search: string } {
  const mark = url.indexOf("?");
  const path = (mark < 0 ? url : url.slice(0, mark)).replace(/\/{2,}/g, "/");
  const search = mark < 0 ? "" : url.slice(mark + 1);
  const prefix = /^\/v(\d+\.\d+)(?=\/)/.exec(path);
  return prefix === null
    ? { version: undefined, path, search }
    : { version: prefix[1], path: path.slice(prefix[0].length), search };
}
