/**
 * The form of messages between the daemon and the native program: a request is a flat list of
 * operations, and frames follow in both directions. `native/ops.h` is the other side and describes
 * the bytes. What the operations mean is said in protocol.ts.
 */
import { type Field, Writer } from "./writer.ts";

export interface RawOp {
  readonly code: number;
  readonly fields: readonly Field[];
}

const version = 1;

/**
 * @returns a whole request, its length included
 * @throws {RangeError} if a number is no integer, or a text has a NUL inside (the other side refuses it, too)
 */
export function encodeRaw(kind: number, ops: readonly RawOp[]): Buffer {
  const body = encodeBody(kind, ops);
  const whole = Buffer.allocUnsafe(4 + body.length);
  whole.writeUInt32LE(body.length);
  body.copy(whole, 4);
  return whole;
}

/** @returns a request without its length: the payload of a frame that carries operations */
export function encodeBody(kind: number, ops: readonly RawOp[]): Buffer {
  const body = new Writer();
  for (const byte of [version, kind, 0, 0]) body.u8(byte);
  for (const { code, fields } of ops) {
    body.u16(code);
    body.u16(fields.length);
    for (const field of fields) body.field(field);
  }
  return body.bytes();
}

/** Frame types, by number. @see native/ops.h */
export const frameType = {
  ok: 1,
  error: 2,
  stdin: 3,
  stdout: 4,
  stderr: 5,
  resize: 6,
  signal: 7,
  exit: 8,
  go: 9,
  oom: 10,
  grew: 11,
  /** Only between a container's first process and its monitor. */
  hold: 12,
} as const;

const frameHead = 5;
/** Larger payloads from a container's side mean that the stream is out of step. */
const frameLimit = 64 * 1024 * 1024;

export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

export function encodeFrame(type: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.allocUnsafe(frameHead);
  head.writeUInt8(type, 0);
  head.writeUInt32LE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** Cuts a byte stream into frames; a frame may arrive in any number of pieces. */
export class FrameReader {
  readonly #streamed: number | undefined;
  #pieces: Buffer[] = [];
  #held = 0;
  /** Of a streamed frame that has begun. */
  #passing = 0;

  /** @param streamed a type whose payloads come out in pieces, as they arrive, instead of put together */
  constructor(streamed?: number) {
    this.#streamed = streamed;
  }

  /** @throws {RangeError} if a frame claims to be longer than any can be */
  *push(chunk: Buffer): Generator<Frame> {
    this.#pieces.push(chunk);
    this.#held += chunk.length;
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) yield frame;
  }

  #take(): Frame | undefined {
    if (this.#passing > 0) return this.#pass();
    if (this.#held < frameHead) return undefined;
    const head = this.#join(frameHead);
    const size = head.readUInt32LE(1);
    if (size > frameLimit) throw new RangeError(`a frame of ${size} bytes`);
    const type = head.readUInt8(0);
    if (type === this.#streamed) {
      this.#keep(head.subarray(frameHead));
      this.#passing = size;
      return this.#take();
    }
    if (this.#held < frameHead + size) return undefined;
    const all = this.#join(frameHead + size);
    this.#keep(all.subarray(frameHead + size));
    return { type, payload: all.subarray(frameHead, frameHead + size) };
  }

  /** The part of a streamed frame that is here. */
  #pass(): Frame | undefined {
    const [first] = this.#pieces;
    if (first === undefined) return undefined;
    const payload = first.subarray(0, this.#passing);
    this.#passing -= payload.length;
    this.#keep(first.subarray(payload.length));
    return { type: this.#streamed as number, payload };
  }

  /** What is left of the first piece; it is the only one then. */
  #keep(rest: Buffer): void {
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
  }

  /** Makes the first piece at least `size` bytes long. */
  #join(size: number): Buffer {
    let first = this.#pieces[0] ?? Buffer.alloc(0);
    if (first.length < size) {
      first = Buffer.concat(this.#pieces);
      this.#pieces = [first];
    }
    return first;
  }
}
