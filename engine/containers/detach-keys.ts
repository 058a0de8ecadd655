import { EngineError } from "../errors.ts";

/** ctrl-p, ctrl-q. */
const DEFAULT = Uint8Array.of(0x10, 0x11);

/**
 * The bytes of a key sequence such as `ctrl-p,ctrl-q` or `a,ctrl-@`.
 *
 * @param text empty for Docker's default
 * @throws {EngineError} invalid for a key that is neither one character nor `ctrl-` with a-z, @, [, \, ], ^ or _
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === "") return DEFAULT;
  return Uint8Array.from(
    text.split(",").map((key) => {
      if (key.length === 1) return key.charCodeAt(0);
      const found = /^ctrl-([a-z@[\\\]^_])$/.exec(key);
      if (found === null) throw new EngineError("invalid", `Unknown character: '${key}'`);
      return (found[1] ?? "").toUpperCase().charCodeAt(0) - 0x40;
    }),
  );
}

/** Finds the detach keys in a stream; what may be their beginning is held back until the next byte decides. */
export class DetachScanner {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** @returns what goes to the program, and whether the keys are complete (what follows them is dropped) */
  scan(chunk: Buffer): { readonly pass: Buffer; readonly detached: boolean } {
    const keys = this.#keys;
    if (keys.length === 0) return { pass: chunk, detached: false };
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte !== keys[this.#matched]) {
        pass.push(...keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== keys[this.#matched]) pass.push(byte);
      else if (++this.#matched === keys.length) return { pass: Buffer.from(pass), detached: true };
    }
    return { pass: Buffer.from(pass), detached: false };
  }
}
