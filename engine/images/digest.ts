import { createHash, type Hash } from "node:crypto";
import { EngineError } from "../errors.ts";

const SHA256 = /^sha256:[a-f0-9]{64}$/;

/** "sha256:…" of bytes that are at hand. */
export function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function isDigest(text: string): boolean {
  return SHA256.test(text);
}

/** The hex part, safe to be a file name. @throws {EngineError} invalid for anything but sha256 in full */
export function hexOf(digest: string): string {
  if (!SHA256.test(digest)) throw new EngineError("invalid", `unsupported digest: ${digest.slice(0, 100)}`);
  return digest.slice("sha256:".length);
}

/** Knows the digest and the number of the bytes that passed. */
export class Digester {
  readonly #hash: Hash = createHash("sha256");
  #bytes = 0;
  #digest: string | undefined;

  update(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /**
   * The same stream, hashed as it is read. Not a Transform: that would hash inside the callback of the stream before it,
   * and keep an inflater from going on in its own thread meanwhile.
   */
  async *pass(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      this.update(chunk);
      yield chunk;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of what has passed; nothing may follow. */
  get digest(): string {
    this.#digest ??= `sha256:${this.#hash.digest("hex")}`;
    return this.#digest;
  }
}
