import type { IncomingMessage } from "node:http";
import { EngineError } from "../../errors.ts";

/** Milliseconds that a small answer may take in all: one that trickles is never silent for long. */
const LONGEST = 120_000;

/** A response's whole body. @throws {EngineError} invalid if it is larger than `limit` bytes */
export async function bodyOf(response: IncomingMessage, limit: number): Promise<Buffer> {
  const late = setTimeout(() => response.destroy(new Error("a trickling server is silent")), LONGEST);
  try {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of response) {
      size += (piece as Buffer).length;
      if (size > limit) {
        response.destroy();
        throw new EngineError("invalid", `an answer of more than ${limit} bytes is no manifest`);
      }
      pieces.push(piece as Buffer);
    }
    return Buffer.concat(pieces);
  } finally {
    clearTimeout(late);
  }
}
