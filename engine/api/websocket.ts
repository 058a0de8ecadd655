/**
 * A WebSocket as a stream of bytes: what a page in a browser attaches by. Only what an attach needs: binary messages
 * out, any messages in, pings answered.
 *
 * @see RFC 6455
 */
import { createHash } from "node:crypto";
import { Duplex } from "node:stream";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3

/** The largest message that is taken: what a person types or pastes. */
const LIMIT = 1024 * 1024;

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The answer to a client's `Sec-WebSocket-Key`. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}${GUID}`).digest("base64");
}

export class WebSocketStream extends Duplex {
  readonly #connection: Duplex;
  #rest: Buffer = Buffer.alloc(0);

  constructor(connection: Duplex) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    connection.on("data", (chunk: Buffer) => this.#take(chunk));
    connection.on("end", () => this.push(null));
    connection.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#connection.write(frame(OPCODE.binary, chunk), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.end(frame(OPCODE.close, Buffer.from([0x03, 0xe8])), () => done()); // 1000: normal closure
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#connection.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const found = readFrame(this.#rest);
      if (found === undefined) return;
      if (found === "refused") {
        this.destroy();
        return;
      }
      this.#rest = this.#rest.subarray(found.length);
      this.#handle(found.opcode, found.payload);
    }
  }

  #handle(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.ping) this.#connection.write(frame(OPCODE.pong, payload));
    else if (opcode === OPCODE.close) this.push(null);
    else if (opcode !== OPCODE.pong && payload.length > 0 && !this.push(payload)) this.#connection.pause();
  }
}

/** A whole message of the server: never masked, never in parts. */
export function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Of all its bytes. */
  readonly length: number;
}

/** @returns undefined as long as it is not whole; "refused" if it is not masked, as a client's must be, or too large */
export function readFrame(bytes: Buffer): Frame | "refused" | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  if ((second & 0x80) === 0) return "refused";
  let length = second & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return undefined;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return undefined;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (length > LIMIT) return "refused";
  if (bytes.length < at + 4 + length) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length));
  for (let i = 0; i < length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0);
  return { opcode: first & 0x0f, payload, length: at + 4 + length };
}
