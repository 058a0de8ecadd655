import { Readable } from "node:stream";
import type { TarEntry } from "./tar.ts";

const BLOCK = 512;

export interface ReadEntry {
  readonly header: TarEntry & { readonly size: number; readonly uid: number; readonly gid: number };
  /** Its bytes; what is not read is passed over. */
  readonly content: Readable;
}

/**
 * Reads an archive entry by entry. Hard links come as links to nothing and other kinds are left out: neither comes out
 * of a container's file by `cp`.
 */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<ReadEntry> {
  const reader = new BlockReader(source);
  let pax: Readonly<Record<string, string>> = {};
  let longName: string | undefined;
  for (;;) {
    const block = await reader.exactly(BLOCK);
    if (block === undefined || block.every((byte) => byte === 0)) return;
    const size = Number(pax["size"] ?? octal(block, 124, 12));
    const type = String.fromCharCode(block[156]!);
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (type === "x" || type === "g" || type === "L") {
      const bytes = (await reader.exactly(size)) ?? Buffer.alloc(0);
      await reader.exactly(padding);
      if (type === "x") pax = records(bytes);
      else if (type === "L") longName = bytes.toString("utf8").replace(/\0+$/, "");
      continue;
    }
    const prefix = text(block, 345, 155);
    const short = text(block, 0, 100);
    const path = pax["path"] ?? longName ?? (prefix ? `${prefix}/${short}` : short);
    const kind = type === "5" ? "directory" : type === "2" ? "symlink" : "file";
    const header = {
      path: path.replace(/\/+$/, ""),
      kind,
      mode: octal(block, 100, 8) & 0o7777,
      uid: Number(pax["uid"] ?? octal(block, 108, 8)),
      gid: Number(pax["gid"] ?? octal(block, 116, 8)),
      size: kind === "file" ? size : 0,
      target: pax["linkpath"] ?? text(block, 157, 100),
    } as const;
    pax = {};
    longName = undefined;
    const content = reader.part(header.size);
    if (type === "0" || type === "\0" || type === "5" || type === "2")
      yield { header, content: Readable.from(content) };
    for await (const _ of content); // What nobody has read.
    await reader.exactly(padding);
  }
}

/** Hands out a stream of chunks in pieces of wanted lengths. */
class BlockReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async exactly(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for await (const part of this.part(length)) parts.push(part);
    const whole = Buffer.concat(parts);
    return whole.length === length ? whole : undefined;
  }

  async *part(length: number): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#chunks.next();
        if (done) return;
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
}

function text(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return block.toString("utf8", offset, end < 0 ? offset + length : Math.min(end, offset + length));
}

function octal(block: Buffer, offset: number, length: number): number {
  return Number.parseInt(text(block, offset, length).trim() || "0", 8);
}

function records(bytes: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString("latin1", at, space));
    if (space < 0 || !(length > 0)) break;
    const record = bytes.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    found[record.slice(0, equals)] = record.slice(equals + 1);
    at += length;
  }
  return found;
}
