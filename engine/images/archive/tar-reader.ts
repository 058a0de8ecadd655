import { EngineError } from "../../errors.ts";
import { ByteReader } from "./bytes.ts";

/** An entry of an archive that is looked into, not unpacked: unpacking is the native worker's. */
export interface TarEntry {
  readonly name: string; // as it stands in the archive
  readonly type: "file" | "link" | "symlink" | "dir" | "other";
  readonly link: string;
  readonly size: number; // bytes
  readonly mtime: number; // seconds since the epoch
  readonly archive: number; // which one, from 0, where several follow each other
  /** The content; only until the next entry is asked for. */
  content(): AsyncGenerator<Buffer>;
  /** The whole content. @throws {EngineError} invalid if it is larger than `limit` bytes */
  bytes(limit: number): Promise<Buffer>;
}

const BLOCK = 512;
const META_LIMIT = 1 << 20;
const TYPES: Readonly<Record<string, TarEntry["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "link",
  "2": "symlink",
  "5": "dir",
};

/**
 * Reads the entries of an uncompressed archive in their order. Contents that are not asked for are skipped.
 *
 * @param concatenated archives follow each other
 * @throws {EngineError} invalid if it is broken or cut off
 */
export async function* readTar(
  source: AsyncIterable<Buffer>,
  concatenated = false,
): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source);
  try {
    let extended: Record<string, string> = {};
    let archive = 0;
    let ended = false;
    for (;;) {
      const block = await reader.exactly(BLOCK);
      if (concatenated && block?.every((byte) => byte === 0)) {
        ended = true;
        continue;
      }
      if (ended) archive++;
      ended = false;
      if (block === undefined || block.every((byte) => byte === 0)) {
        // To the end, so that who writes it does not find the pipe closed.
        while ((await reader.some(1 << 20)) !== undefined);
        return;
      }
      checkSum(block);
      const type = block.toString("latin1", 156, 157);
      const size = extended["size"] === undefined ? number(block, 124, 12) : Number(extended["size"]);
      if (!Number.isSafeInteger(size) || size < 0) throw broken("a bad size");
      if ("xgLK".includes(type)) {
        const data = await meta(reader, size);
        if (type === "x") Object.assign(extended, paxRecords(data));
        else if (type === "L") extended["path"] = text(data, 0, data.length);
        else if (type === "K") extended["linkpath"] = text(data, 0, data.length);
        continue;
      }
      const entry = new Entry(reader, block, size, extended, archive);
      extended = {};
      yield entry;
      await entry.finish();
    }
  } finally {
    await reader.close();
  }
}

class Entry implements TarEntry {
  readonly name: string;
  readonly type: TarEntry["type"];
  readonly link: string;
  readonly size: number;
  readonly mtime: number;
  readonly archive: number;
  readonly #reader: ByteReader;
  readonly #padding: number;
  #left: number;

  constructor(
    reader: ByteReader,
    block: Buffer,
    size: number,
    extended: Readonly<Record<string, string>>,
    archive: number,
  ) {
    this.#reader = reader;
    this.archive = archive;
    const prefix = block.toString("latin1", 257, 263) === "ustar\0" ? text(block, 345, 155) : "";
    const plain = text(block, 0, 100);
    this.name = extended["path"] ?? (prefix === "" ? plain : `${prefix}/${plain}`);
    this.link = extended["linkpath"] ?? text(block, 157, 100);
    const type = TYPES[block.toString("latin1", 156, 157)] ?? "other";
    this.type = type === "file" && this.name.endsWith("/") ? "dir" : type;
    this.size = type === "file" || type === "other" ? size : 0;
    this.mtime = Math.floor(
      extended["mtime"] === undefined ? number(block, 136, 12) : Number(extended["mtime"]),
    );
    this.#left = this.size;
    this.#padding = (BLOCK - (this.size % BLOCK)) % BLOCK;
  }

  async *content(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const piece = await this.#reader.some(this.#left);
      if (piece === undefined) throw broken("it is cut off");
      this.#left -= piece.length;
      yield piece;
    }
  }

  async bytes(limit: number): Promise<Buffer> {
    if (this.size > limit)
      throw new EngineError("invalid", `${this.name} has ${this.size} bytes, at most ${limit} are read`);
    const pieces: Buffer[] = [];
    for await (const piece of this.content()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async finish(): Promise<void> {
    await this.#reader.skip(this.#left + this.#padding);
    this.#left = 0;
  }
}

async function meta(reader: ByteReader, size: number): Promise<Buffer> {
  if (size > META_LIMIT) throw broken("an extended header that is too large");
  const padded = Math.ceil(size / BLOCK) * BLOCK;
  const data = padded === 0 ? Buffer.alloc(0) : await reader.exactly(padded);
  if (data === undefined) throw broken("it is cut off");
  return data.subarray(0, size);
}

/** "length key=value\n", the length counting itself. */
function paxRecords(data: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(" ", at);
    const length = Number(data.toString("latin1", at, blank));
    const equals = data.indexOf("=", blank);
    if (blank < 0 || equals < 0 || !Number.isSafeInteger(length) || length < 5 || at + length > data.length) {
      throw broken("a bad extended header");
    }
    records[data.toString("utf8", blank + 1, equals)] = data.toString("utf8", equals + 1, at + length - 1);
    at += length;
  }
  return records;
}

function text(from: Buffer, at: number, size: number): string {
  const field = from.subarray(at, at + size);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? size : end);
}

/** Octal digits, or base 256 where the first bit is set. */
function number(block: Buffer, at: number, size: number): number {
  if ((block[at] ?? 0) & 0x80) {
    let value = BigInt((block[at] ?? 0) & 0x7f);
    for (let i = 1; i < size; i++) value = (value << 8n) | BigInt(block[at + i] ?? 0);
    return Number(value);
  }
  const digits = block
    .toString("latin1", at, at + size)
    .replace(/[\0 ]+$/, "")
    .trimStart();
  if (!/^[0-7]*$/.test(digits)) throw broken("a bad number");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function checkSum(block: Buffer): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
  if (sum !== number(block, 148, 8)) throw broken("a header with a wrong checksum");
}

function broken(why: string): EngineError {
  return new EngineError("invalid", `not a tar archive: ${why}`);
}
