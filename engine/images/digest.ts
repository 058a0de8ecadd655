import { createHash, type Hash } from "node:crypto";
import { Transform } from "node:stream";
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

/** Passes bytes on and knows their digest and number at the end. */
export class Digester extends Transform {
  readonly #hash: Hash = createHash("sha256");
  #bytes = 0;
  #digest: string | undefined;

  constructor() {
    super({ highWaterMark: 1 << 20 });
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null, data?: Buffer) => void,
  ): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    done(null, chunk);
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
