import { Readable } from "node:stream";
import { decompress } from "../../images/decompress.ts";

const BLOCK = 512;
/** Where a tar header has its checksum: eight bytes of octal digits. */
const SUM_AT = 148;
const SUM_END = 156;

/**
 * Looks whether a file is a tar, in whatever compression.
 *
 * @returns the uncompressed archive from its beginning; undefined where it is none
 */
export async function openArchive(file: Readable): Promise<Readable | undefined> {
  let stream: Readable;
  try {
    ({ stream } = await decompress(file));
  } catch {
    return undefined;
  }
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head: Buffer = Buffer.alloc(0);
  try {
    while (head.length < BLOCK) {
      const { value, done } = await iterator.next();
      if (done === true) break;
      head = Buffer.concat([head, value]);
    }
  } catch {
    return undefined; // Compressed, but not whole, or only by its first bytes.
  }
  if (!isTarHeader(head)) {
    stream.destroy();
    return undefined;
  }
  return Readable.from(rest(head, iterator), { objectMode: false });
}

async function* rest(head: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}

function isTarHeader(head: Buffer): boolean {
  if (head.length < BLOCK) return false;
  const written = Number.parseInt(head.toString("latin1", SUM_AT, SUM_END).replaceAll("\0", " ").trim(), 8);
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= SUM_AT && at < SUM_END ? 0x20 : head[at]!;
  return written === sum && sum > 8 * 0x20;
}
