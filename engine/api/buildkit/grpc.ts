/**
 * gRPC over a connection that HTTP/1.1 handed over: `/grpc` makes us its server, `/session` its client. Messages are
 * framed by a zero byte (not compressed) and a 32-bit length; the status comes in the trailers.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { type Duplex, PassThrough, pipeline, type Readable } from "node:stream";
import { messageOf } from "../../errors.ts";
import type { Message } from "./protobuf.ts";

/** gRPC's codes, as far as they are used. */
export const CODE = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  notFound: 5,
  unimplemented: 12,
  unavailable: 14,
} as const;

export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: number;
  /** A google.rpc.Status with more than code and message. */
  readonly status: Buffer | undefined;

  constructor(code: number, message: string, status?: Buffer) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** A call that a client has made to us. */
export interface GrpcCall {
  readonly headers: IncomingHttpHeaders;
  /** The messages of the client, as they come. */
  readonly messages: AsyncIterable<Buffer>;
  /** Sends one message; resolves when the next one may be sent. */
  send(message: Buffer): Promise<void>;
  readonly signal: AbortSignal;
}

/** Every method by its path, such as `/moby.buildkit.v1.Control/Solve`. */
export type GrpcMethods = Readonly<Record<string, (call: GrpcCall) => Promise<void>>>;

/** Describes a method that takes one message and answers with one. */
export function unary<Q, A>(
  request: Message<Q>,
  answer: Message<A>,
  handle: (request: Q, call: GrpcCall) => Promise<Partial<A>>,
): (call: GrpcCall) => Promise<void> {
  return async (call) => {
    const result = await handle(request.decode(await only(call.messages)), call);
    await call.send(answer.encode(result));
  };
}

/** The first message of a call; an absent one is an empty one. */
export async function only(messages: AsyncIterable<Buffer>): Promise<Buffer> {
  for await (const one of messages) return one;
  return Buffer.alloc(0);
}

/** Serves calls on a connection until it closes. */
export function serveGrpc(
  connection: Duplex,
  methods: GrpcMethods,
  failed: (path: string, error: unknown) => void,
): void {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    const path = String(headers[":path"]);
    void answer(stream, headers, methods[path]).catch((error: unknown) => failed(path, error));
  });
  server.on("sessionError", () => {}); // the client is gone
  server.emit("connection", connection);
}

async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: GrpcMethods[string] | undefined,
): Promise<void> {
  const gone = new AbortController();
  stream.on("error", () => gone.abort());
  stream.on("close", () => gone.abort());
  let status: { code: number; message: string; status?: Buffer | undefined } = { code: CODE.ok, message: "" };
  stream.on("wantTrailers", () => {
    stream.sendTrailers({
      "grpc-status": String(status.code),
      "grpc-message": encodeURIComponent(status.message),
      ...(status.status && { "grpc-status-details-bin": status.status.toString("base64") }),
    });
  });
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  let failure: unknown;
  try {
    if (method === undefined) throw new GrpcError(CODE.unimplemented, `unknown method ${headers[":path"]}`);
    await method({
      headers,
      messages: framesOf(stream),
      send: (one) => write(stream, frame(one)),
      signal: gone.signal,
    });
  } catch (error) {
    failure = error;
    const known = error instanceof GrpcError ? error : undefined;
    status = { code: known?.code ?? CODE.unknown, message: messageOf(error), status: known?.status };
  }
  if (!stream.destroyed) stream.end();
  if (failure !== undefined && !gone.signal.aborted) throw failure;
}

/** The other end of a session, on which we are the client. */
export class GrpcClient {
  readonly #session: ClientHttp2Session;

  constructor(connection: Duplex) {
    this.#session = connect("http://localhost", { createConnection: () => connection });
    this.#session.on("error", () => {}); // seen by the calls that run
  }

  get closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#session.closed || this.#session.destroyed) resolve();
      else this.#session.once("close", resolve);
    });
  }

  close(): void {
    this.#session.close();
  }

  /**
   * Calls a method with one message, and gives back its one answer.
   *
   * @throws {GrpcError} with the status of the other side
   */
  async call<Q, A>(path: string, request: Message<Q>, answer: Message<A>, value: Partial<Q>): Promise<A> {
    const stream = this.open(path);
    await stream.send(request.encode(value));
    stream.end();
    let result: Buffer | undefined;
    for await (const one of stream.messages) result ??= one;
    if (result === undefined) throw new GrpcError(CODE.unknown, `${path} gave no answer`);
    return answer.decode(result);
  }

  /** Begins a call with messages both ways. Its messages end with an error if its status is none of success. */
  open(
    path: string,
    headers: Readonly<Record<string, string | string[]>> = {},
  ): { readonly messages: AsyncIterable<Buffer>; send(message: Buffer): Promise<void>; end(): void } {
    const stream = this.#session.request({
      ...headers,
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    // Node throws away what a stream holds that ends before anybody began to read it.
    const body = new PassThrough({ highWaterMark: 1 << 20 });
    pipeline(stream, body, () => {}); // a failure is seen by who reads
    let status: IncomingHttpHeaders = {};
    const note = (seen: IncomingHttpHeaders): void => {
      if (seen["grpc-status"] !== undefined) status = seen;
    };
    stream.on("response", note); // a failure without a message has its status in the first headers
    stream.on("trailers", note);
    const messages = async function* (): AsyncGenerator<Buffer> {
      yield* framesOf(body);
      const code = Number(status["grpc-status"] ?? CODE.unknown);
      if (code !== CODE.ok)
        throw new GrpcError(code, decodeURIComponent(String(status["grpc-message"] ?? path)));
    };
    return {
      messages: messages(),
      send: (one) => write(stream, frame(one)),
      end: () => stream.end(),
    };
  }
}

function frame(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** @throws {GrpcError} for a compressed message: nobody was offered that */
async function* framesOf(stream: Readable): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let have = 0;
  let need = 5;
  // Whoever has read its one message leaves; the stream still has to carry the answer.
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of chunks) {
    rest.push(chunk);
    have += chunk.length;
    // Joined only when a message is whole: a large one comes in thousands of chunks.
    while (have >= need) {
      const bytes = Buffer.concat(rest);
      if (bytes[0] !== 0) throw new GrpcError(CODE.unimplemented, "a message is compressed");
      need = 5 + bytes.readUInt32BE(1);
      if (bytes.length < need) {
        rest = [bytes];
        break;
      }
      yield bytes.subarray(5, need);
      rest = [bytes.subarray(need)];
      have = bytes.length - need;
      need = 5;
    }
  }
}

function write(
  stream: NodeJS.WritableStream & { readonly destroyed?: boolean },
  bytes: Buffer,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed) return reject(new GrpcError(CODE.cancelled, "the other side is gone"));
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
