import type { Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { Reply, ReplyReader } from "./reply.ts";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: Readable | Buffer | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Owner {
  /** The last exchange is over, another may follow. */
  idle(): void;
  closed(): void;
}

/** A connection to an engine: one request and its answer after the other. */
export class Connection {
  readonly #socket: Socket;
  readonly #owner: Owner;
  #exchange: Exchange | undefined;
  #exchanges = 0;
  #wasStale = false;

  readonly #onData = (chunk: Buffer): void => {
    // What comes unasked for is no answer.
    if (this.#exchange === undefined) this.#socket.destroy();
    else this.#exchange.receive(chunk);
  };
  readonly #onEnd = (): void => {
    this.#exchange?.closed();
    this.#owner.closed();
  };
  readonly #onError = (error: Error): void => this.#exchange?.fail(error);

  constructor(socket: Socket, owner: Owner) {
    this.#socket = socket;
    this.#owner = owner;
    socket
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("close", this.#onEnd)
      .on("error", this.#onError);
  }

  /** The last request met a connection that the other side had closed since the one before, and was not seen there. */
  get wasStale(): boolean {
    return this.#wasStale;
  }

  /** Sends a request. Resolves when the answer begins; with the connection itself where the answer is 101. */
  exchange(request: Request): Promise<Reply | Duplex> {
    const socket = this.#socket.ref();
    this.#exchanges += 1;
    const isStream = request.body instanceof Readable;
    const exchange = new Exchange(socket, request, (outcome) => {
      this.#exchange = undefined;
      if (outcome === "reusable") {
        // An idle connection does not hold the process; it is read, to learn of its end.
        socket.unref().resume();
        this.#owner.idle();
      } else if (outcome === "failed") {
        this.#wasStale = this.#exchanges > 1 && !isStream && !exchange.isAnswered && !request.signal?.aborted;
        socket.destroy();
      } else if (outcome === "over") socket.destroy();
      else {
        socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd);
        socket.off("error", this.#onError).pause();
      }
    });
    this.#exchange = exchange;
    exchange.start();
    return exchange.answer;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** `handed over`: the connection belongs to whoever asked for it. */
type Outcome = "reusable" | "over" | "failed" | "handed over";

class Exchange {
  readonly #socket: Socket;
  readonly #request: Request;
  readonly #done: (outcome: Outcome) => void;
  readonly #answer = Promise.withResolvers<Reply | Duplex>();
  readonly #reader: ReplyReader;
  readonly #onAbort = (): void => this.fail(this.#request.signal?.reason as Error);
  #reply: Reply | undefined;
  #isOver = false;
  #isSent = false;

  constructor(socket: Socket, request: Request, done: (outcome: Outcome) => void) {
    this.#socket = socket;
    this.#request = request;
    this.#done = done;
    this.#reader = new ReplyReader(request.method, {
      head: (status, headers, rest) => this.#begin(status, headers, rest),
      body: (piece) => {
        if (this.#reply?.push(piece) === false) socket.pause();
      },
      end: (reusable) => {
        this.#finish(reusable && this.#isSent ? "reusable" : "over");
        this.#reply?.push(null);
      },
    });
  }

  get answer(): Promise<Reply | Duplex> {
    return this.#answer.promise;
  }

  get isAnswered(): boolean {
    return this.#reader.started;
  }

  start(): void {
    const { signal } = this.#request;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener("abort", this.#onAbort);
    send(this.#socket, this.#request).then(
      () => {
        this.#isSent = true;
      },
      (error: Error) => this.fail(error),
    );
  }

  receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** The other side says no more. */
  closed(): void {
    if (!this.#reader.close())
      this.fail(Object.assign(new Error("the engine closed the connection"), { code: "ECONNRESET" }));
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#finish("failed");
    this.#reply?.destroy(error);
    this.#answer.reject(error);
  }

  #begin(status: number, headers: Reply["headers"], rest: Buffer): void {
    const socket = this.#socket;
    if (status === 101) {
      this.#finish("handed over");
      if (rest.length > 0) socket.unshift(rest);
      this.#answer.resolve(socket);
      return;
    }
    this.#reply = new Reply(status, headers, () => {
      if (!this.#isOver) socket.resume();
    });
    // Who stops reading in the middle wants no more of it.
    this.#reply.once("close", () => this.#finish("over"));
    // Whoever reads it learns of a failure; where nobody does, it matters to nobody.
    this.#reply.on("error", () => {});
    this.#answer.resolve(this.#reply);
  }

  #finish(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
    this.#done(outcome);
  }
}

/** Resolves when all is given to the socket, or it is closed. */
async function send(socket: Socket, { method, path, headers, body }: Request): Promise<void> {
  const isStream = body instanceof Readable;
  const lines = Object.entries({ ...headers, ...(isStream && { "Transfer-Encoding": "chunked" }) });
  const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = `${method} ${path} HTTP/1.1\r\n${fields}\r\n`;
  if (/[^!-~]/.test(path) || lines.some(([, value]) => /[\r\n\0]/.test(String(value))))
    throw new TypeError(`a request cannot carry ${JSON.stringify(head)}`);
  if (!isStream) {
    if (Buffer.isBuffer(body)) socket.cork();
    socket.write(typeof body === "string" ? head + body : head);
    if (!Buffer.isBuffer(body)) return;
    socket.write(body);
    socket.uncork();
    return;
  }
  socket.write(head);
  for await (const piece of body as AsyncIterable<Buffer | string>) {
    const chunk = typeof piece === "string" ? Buffer.from(piece) : piece;
    if (chunk.length === 0) continue;
    if (socket.destroyed) return;
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    const hasRoom = socket.write("\r\n");
    socket.uncork();
    if (!hasRoom) await drained(socket);
  }
  if (!socket.destroyed) socket.write("0\r\n\r\n");
}

/** Also when it is closed instead. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off("drain", settle).off("close", settle);
      resolve();
    };
    socket.on("drain", settle).on("close", settle);
    if (socket.destroyed) settle();
  });
}
