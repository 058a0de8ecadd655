import { Readable } from "node:stream";

export type Headers = Readonly<Record<string, string>>;

/** The answer to a request: its body as a stream. */
export class Reply extends Readable {
  readonly status: number;
  /** By their names in lower case; repeated ones joined by a comma. */
  readonly headers: Headers;
  readonly #more: () => void;

  /** @param more is called when there is room for more of the body */
  constructor(status: number, headers: Headers, more: () => void) {
    super({ highWaterMark: 1 << 18 });
    this.status = status;
    this.headers = headers;
    this.#more = more;
  }

  override _read(): void {
    this.#more();
  }
}

export interface ReplyEvents {
  /** The head is complete. @param rest what came after it, of a connection that now belongs to others (101) */
  head(status: number, headers: Headers, rest: Buffer): void;
  body(piece: Buffer): void;
  /** @param reusable whether another request may follow on the connection */
  end(reusable: boolean): void;
}

const MOST_HEAD = 1 << 18; // bytes
const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");

/**
 * Reads one HTTP/1.1 response as it comes. Node's own client does this and much more; loading it is a fifth of a short
 * command's time.
 *
 * @see RFC 9112
 */
export class ReplyReader {
  readonly #events: ReplyEvents;
  readonly #isHead: boolean;
  #state: "head" | "length" | "size" | "chunk" | "after" | "trailer" | "rest" | "done" = "head";
  #kept: Buffer = Buffer.alloc(0);
  /** Bytes that are still to come of the body, or of its chunk. */
  #left = 0;
  #reusable = true;

  /** @param method of the request: the answer to HEAD has no body, whatever its head says */
  constructor(method: string, events: ReplyEvents) {
    this.#isHead = method === "HEAD";
    this.#events = events;
  }

  get started(): boolean {
    return this.#state !== "head" || this.#kept.length > 0;
  }

  /** @throws {Error} if it is no HTTP */
  push(chunk: Buffer): void {
    this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    while (this.#state !== "done" && this.#step());
  }

  /** The other side has closed. @returns whether it had said all */
  close(): boolean {
    if (this.#state === "rest") this.#end(false);
    return this.#state === "done";
  }

  /** @returns whether there is more to do with what is there */
  #step(): boolean {
    switch (this.#state) {
      case "head":
        return this.#head();
      case "length":
      case "chunk":
        return this.#piece();
      case "rest":
        return this.#all();
      default:
        return this.#line();
    }
  }

  #head(): boolean {
    const end = this.#kept.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#kept.length > MOST_HEAD) throw malformed("a head without an end");
      return false;
    }
    const [first = "", ...lines] = this.#kept.toString("latin1", 0, end).split("\r\n");
    const match = /^HTTP\/1\.([01]) (\d{3})/.exec(first);
    if (match === null) throw malformed(first.slice(0, 80));
    const status = Number(match[2]);
    const rest = this.#kept.subarray(end + HEAD_END.length);
    this.#kept = rest;
    if (status === 100 || status === 103) return true; // The answer itself follows.
    const headers = readHeaders(lines);
    const connection = headers["connection"]?.toLowerCase() ?? "";
    this.#reusable = match[1] === "1" && !connection.includes("close");
    if (status === 101) this.#state = "done";
    this.#events.head(status, headers, rest);
    if (status === 101) return false;
    this.#begin(status, headers);
    return true;
  }

  #begin(status: number, headers: Headers): void {
    const length = headers["content-length"];
    if (this.#isHead || status === 204 || status === 304) this.#end(this.#reusable);
    else if (/\bchunked$/i.test(headers["transfer-encoding"] ?? "")) this.#state = "size";
    else if (length === undefined) this.#state = "rest";
    else {
      if (!/^\d{1,15}$/.test(length)) throw malformed(`a length of ${length}`);
      this.#left = Number(length);
      this.#state = "length";
      if (this.#left === 0) this.#end(this.#reusable);
    }
  }

  #piece(): boolean {
    const piece = this.#kept.subarray(0, this.#left);
    if (piece.length === 0) return false;
    this.#kept = this.#kept.subarray(piece.length);
    this.#left -= piece.length;
    this.#events.body(piece);
    if (this.#left > 0) return false;
    if (this.#state === "chunk") this.#state = "after";
    else this.#end(this.#reusable);
    return true;
  }

  #all(): boolean {
    if (this.#kept.length > 0) this.#events.body(this.#kept);
    this.#kept = Buffer.alloc(0);
    return false;
  }

  /** A line between chunks: a chunk's size, the end of one, or what follows the last. */
  #line(): boolean {
    const end = this.#kept.indexOf(LINE_END);
    if (end < 0) {
      if (this.#kept.length > MOST_HEAD) throw malformed("a line without an end");
      return false;
    }
    const line = this.#kept.toString("latin1", 0, end);
    this.#kept = this.#kept.subarray(end + LINE_END.length);
    if (this.#state === "after") {
      if (line !== "") throw malformed("a chunk longer than it said");
      this.#state = "size";
    } else if (this.#state === "size") {
      const size = /^([0-9a-f]{1,12})\s*(?:;|$)/i.exec(line)?.[1];
      if (size === undefined) throw malformed(`a chunk of size ${line.slice(0, 20)}`);
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? "trailer" : "chunk";
    } else if (line === "") this.#end(this.#reusable);
    return true;
  }

  #end(reusable: boolean): void {
    this.#state = "done";
    // What comes unasked for belongs to no request.
    this.#events.end(reusable && this.#kept.length === 0);
  }
}

function readHeaders(lines: readonly string[]): Headers {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw malformed(line.slice(0, 80));
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

function malformed(what: string): Error {
  return Object.assign(new Error(`this is no HTTP: ${what}`), { code: "EPROTO" });
}
