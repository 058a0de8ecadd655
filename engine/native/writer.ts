import { encodeName } from "./names.ts";

/** A field as it stands: text (names.ts), bytes, or an integer of 8 bytes (two's complement). */
export type Field = string | Uint8Array | number | bigint | boolean;

/** One buffer that grows: a launch has hundreds of fields, and a buffer for each costs more than their bytes. */
export class Writer {
  #buffer = Buffer.allocUnsafe(8192);
  #used = 0;

  u8(value: number): void {
    this.#used = this.#room(1).writeUInt8(value, this.#used);
  }

  u16(value: number): void {
    this.#used = this.#room(2).writeUInt16LE(value, this.#used);
  }

  /** u32 length | bytes */
  field(field: Field): void {
    if (typeof field === "string") this.#text(field);
    else if (field instanceof Uint8Array) this.#bytes(field);
    else this.#number(field);
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }

  #text(text: string): void {
    if (text.includes("\0")) throw new RangeError(`text with a NUL inside: ${JSON.stringify(text)}`);
    if (!text.isWellFormed()) {
      this.#bytes(encodeName(text));
      return;
    }
    const buffer = this.#room(4 + 3 * text.length); // at most three bytes of UTF-8 a unit of UTF-16
    const size = buffer.write(text, this.#used + 4);
    buffer.writeUInt32LE(size, this.#used);
    this.#used += 4 + size;
  }

  #bytes(bytes: Uint8Array): void {
    const buffer = this.#room(4 + bytes.length);
    buffer.writeUInt32LE(bytes.length, this.#used);
    buffer.set(bytes, this.#used + 4);
    this.#used += 4 + bytes.length;
  }

  #number(value: number | bigint | boolean): void {
    const buffer = this.#room(12);
    buffer.writeUInt32LE(8, this.#used);
    if (typeof value === "bigint") buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#used + 4);
    else buffer.writeBigInt64LE(BigInt(value), this.#used + 4);
    this.#used += 12;
  }

  /** The buffer, with space for so many bytes more. */
  #room(size: number): Buffer {
    if (this.#used + size > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(2 * (this.#used + size));
      this.#buffer.copy(grown, 0, 0, this.#used);
      this.#buffer = grown;
    }
    return this.#buffer;
  }
}
