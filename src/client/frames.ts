import type { Readable } from "node:stream";
import type { OutputChunk } from "./types/streams.ts";

const HEADER = 8;

/**
 * Takes apart Docker's framed output: each frame is a byte for the stream (1 stdout, 2 stderr), three zeros, the
 * length as a big-endian 32-bit number, and that many bytes. A terminal's output has no frames.
 *
 * Chunks are passed on as they come: a frame may be given out in pieces.
 */
export async function* demultiplex(source: AsyncIterable<Buffer>, tty: boolean): AsyncGenerator<OutputChunk> {
  let head: Buffer = Buffer.alloc(0);
  let left = 0;
  let stream: OutputChunk["stream"] = "stdout";
  for await (const chunk of source) {
    if (tty) {
      yield { stream: "stdout", data: chunk };
      continue;
    }
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const piece = chunk.subarray(at, at + HEADER - head.length);
        head = Buffer.concat([head, piece]);
        at += piece.length;
        if (head.length < HEADER) break;
        stream = head[0] === 2 ? "stderr" : "stdout";
        left = head.readUInt32BE(4);
        head = Buffer.alloc(0);
        continue;
      }
      const data = chunk.subarray(at, at + left);
      at += data.length;
      left -= data.length;
      yield { stream, data };
    }
  }
}

/** Makes a stream of objects end quietly where its request was aborted: to stop following is no failure. */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** The whole of a stream, as text. */
export async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
