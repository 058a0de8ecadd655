import { spawn } from "node:child_process";
import { Duplex, Readable } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { EngineError } from "../errors.ts";

export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

/** Node's default of 16 KiB doubles the time that inflating takes. */
const CHUNK = 256 * 1024;
/** Lets the inflater go on while its reader is at work. Not in the types of zlib, which hands it to its stream. */
const AHEAD: object = { highWaterMark: 1 << 20 };
/** The largest window a zstd frame may ask memory for: 2^27 bytes, the default of the zstd program. */
const ZSTD_WINDOW = 27;

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** Bytes that tell. */
export const MAGIC_SIZE = 6;

/** What the first bytes say; media types are often wrong. */
export function compressionOf(start: Uint8Array): Compression {
  if (
    start.length >= 4 &&
    start[1] === 0x2a &&
    start[2] === 0x4d &&
    start[3] === 0x18 &&
    (start[0]! & 0xf0) === 0x50
  ) {
    return "zstd"; // a skippable frame
  }
  return MAGIC.find(([, magic]) => magic.every((byte, at) => start[at] === byte))?.[0] ?? "none";
}

export interface Decompressed {
  readonly stream: Readable;
  readonly compression: Compression;
  /** Nobody else has the stream's buffers: they are not the source's. */
  readonly ownBuffers: boolean;
}

/** Decompresses whatever it is, or gives it back. Errors of the source come out of the result. */
export async function decompress(packed: Readable): Promise<Decompressed> {
  const { start, all: source } = await peekStart(packed);
  const compression = compressionOf(start);
  if (compression === "none") return { stream: source, compression, ownBuffers: false };
  const decoder = decoderOf(compression);
  source.on("error", (error) => decoder.destroy(error));
  decoder.once("close", () => {
    if (!source.readableEnded) source.destroy();
  });
  return { stream: source.pipe(decoder), compression, ownBuffers: true };
}

function decoderOf(compression: Exclude<Compression, "none">): Duplex {
  switch (compression) {
    case "gzip":
      return createGunzip({ ...AHEAD, chunkSize: CHUNK });
    case "zstd":
      return createZstdDecompress({
        ...AHEAD,
        chunkSize: CHUNK,
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW },
      });
    case "bzip2":
    case "xz":
      return program(compression);
  }
}

/** Old archives only; the engine's own and the registries' are gzip or zstd. Nothing of the input reaches its arguments. */
function program(name: "bzip2" | "xz"): Duplex {
  const child = spawn(name, ["-dc"], { stdio: ["pipe", "pipe", "ignore"], env: { PATH: "/usr/bin:/bin" } });
  const both = Duplex.from({ readable: child.stdout, writable: child.stdin });
  const failed = (cause?: unknown): void => {
    both.destroy(new EngineError("invalid", `this archive needs ${name}, which failed`, { cause }));
  };
  child.on("error", failed);
  child.on("close", (code) => {
    if (code !== 0) failed();
  });
  return both;
}

/** Looks at the beginning of a stream. What comes back is all of it: one that ended meanwhile takes nothing back. */
async function peekStart(source: Readable): Promise<{ start: Buffer; all: Readable }> {
  let start: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = source.read() as Buffer | null;
    if (chunk !== null) {
      start = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
      if (start.length < MAGIC_SIZE) continue;
      source.unshift(start);
      return { start, all: source };
    }
    if (source.errored !== null) throw source.errored;
    if (source.readableEnded || source.destroyed)
      return { start, all: Readable.from(start.length > 0 ? [start] : []) };
    await readable(source);
  }
}

function readable(source: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      for (const name of ["readable", "end", "close"]) source.off(name, done);
      source.off("error", settle);
      if (error instanceof Error) reject(error);
      else resolve();
    };
    const done = (): void => settle();
    for (const name of ["readable", "end", "close"]) source.once(name, done);
    source.once("error", settle);
  });
}
