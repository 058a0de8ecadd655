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

  get bytes(): number {
    return this.#bytes;
  }

  /** Of what has passed; nothing may follow. */
  get digest(): string {
    this.#digest ??= `sha256:${this.#hash.digest("hex")}`;
    return this.#digest;
  }
}
