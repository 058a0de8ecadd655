import { EngineError } from "../../errors.ts";

/** Reads a stream in pieces of a wanted size, holding no more than a chunk of it. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to `limit` bytes, at least one; undefined at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#chunk = next.value;
    }
    const piece = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(piece.length);
    return piece;
  }

  /** Exactly `size` bytes; undefined if the stream ends before the first. @throws {EngineError} invalid if it ends amid them */
  async exactly(size: number): Promise<Buffer | undefined> {
    const first = await this.some(size);
    if (first === undefined || first.length === size) return first;
    const pieces = [first];
    for (let have = first.length; have < size; ) {
      const piece = await this.some(size - have);
      if (piece === undefined) throw new EngineError("invalid", "the archive is cut off");
      pieces.push(piece);
      have += piece.length;
    }
    return Buffer.concat(pieces);
  }

  async skip(size: number): Promise<void> {
    for (let left = size; left > 0; ) {
      const piece = await this.some(left);
      if (piece === undefined) throw new EngineError("invalid", "the archive is cut off");
      left -= piece.length;
    }
  }

  /** Ends the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** Looks at the first bytes of a stream, at least `size` if it has as many; `all` is still all of it. */
export async function peek(
  source: AsyncIterable<Buffer>,
  size: number,
): Promise<{ readonly start: Buffer; readonly all: AsyncGenerator<Buffer> }> {
  const rest = source[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < size) {
    const next = await rest.next();
    if (next.done === true) break;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  return { start, all: chained(start, rest) };
}

async function* chained(start: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
