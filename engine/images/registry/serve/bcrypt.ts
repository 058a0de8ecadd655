/**
 * Checks passwords of htpasswd files: bcrypt (`htpasswd -B`), as other registries take it.
 *
 * @see "A Future-Adaptable Password Scheme", Provos and Mazières, 1999; Blowfish's tables are the digits of pi
 */
import { timingSafeEqual } from "node:crypto";

const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ROUNDS = 16;
const P_WORDS = ROUNDS + 2;
const WORDS = P_WORDS + 4 * 256;
/** Above it one login would take the engine seconds. */
const HIGHEST_COST = 14;

let tables: Uint32Array | undefined;

/** @returns false, too, for a hash that is not bcrypt's or costs too much */
export function checkBcrypt(password: string, hash: string): boolean {
  const [, cost = "", salt = "", digest = ""] =
    /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/.exec(hash) ?? [];
  if (digest === "" || Number(cost) > HIGHEST_COST) return false;
  const made = bcrypt(
    Buffer.concat([Buffer.from(password), Buffer.alloc(1)]).subarray(0, 72),
    decode(salt, 16),
    Number(cost),
  );
  return timingSafeEqual(made, decode(digest, 23));
}

function bcrypt(key: Buffer, salt: Buffer, cost: number): Buffer {
  const state = Uint32Array.from(piWords());
  expand(state, key, salt);
  const none = Buffer.alloc(16);
  for (let round = 2 ** cost; round > 0; round--) {
    expand(state, key, none);
    expand(state, salt, none);
  }
  const text = Buffer.from("OrpheanBeholderScryDoubt");
  const words = Uint32Array.from({ length: 6 }, (_, at) => text.readUInt32BE(at * 4));
  for (let at = 0; at < 6; at += 2) {
    for (let round = 0; round < 64; round++) encipher(state, words, at);
  }
  const out = Buffer.alloc(24);
  for (const [at, word] of words.entries()) out.writeUInt32BE(word, at * 4);
  return out.subarray(0, 23);
}

/** Mixes the key into P, then enciphers all tables in turn, with the salt mixed in before each step. */
function expand(state: Uint32Array, key: Buffer, salt: Buffer): void {
  for (let at = 0; at < P_WORDS; at++) state[at] = (state[at]! ^ cyclicWord(key, at * 4)) >>> 0;
  const block = new Uint32Array(2);
  for (let at = 0; at < WORDS; at += 2) {
    block[0] = (block[0]! ^ salt.readUInt32BE((at * 4) % 16)) >>> 0;
    block[1] = (block[1]! ^ salt.readUInt32BE((at * 4 + 4) % 16)) >>> 0;
    encipher(state, block, 0);
    state[at] = block[0]!;
    state[at + 1] = block[1]!;
  }
}

function cyclicWord(bytes: Buffer, at: number): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word = (word << 8) | (bytes[(at + i) % bytes.length] ?? 0);
  return word >>> 0;
}

/** Blowfish on the two words at `at`. */
function encipher(state: Uint32Array, words: Uint32Array, at: number): void {
  let left = words[at]!;
  let right = words[at + 1]!;
  for (let round = 0; round < ROUNDS; round += 2) {
    left ^= state[round]!;
    right ^= mix(state, left);
    right ^= state[round + 1]!;
    left ^= mix(state, right);
  }
  words[at] = right ^ state[ROUNDS + 1]!;
  words[at + 1] = left ^ state[ROUNDS]!;
}

function mix(state: Uint32Array, word: number): number {
  const a = state[P_WORDS + (word >>> 24)]!;
  const b = state[P_WORDS + 256 + ((word >>> 16) & 0xff)]!;
  const c = state[P_WORDS + 512 + ((word >>> 8) & 0xff)]!;
  const d = state[P_WORDS + 768 + (word & 0xff)]!;
  return (((a + b) ^ c) + d) | 0;
}

/** The fraction of pi in words of 32 bits, by Machin's formula; made when the first password is checked. */
function piWords(): Uint32Array {
  if (tables !== undefined) return tables;
  const bits = BigInt(WORDS * 32 + 64);
  const one = 1n << bits;
  const arctan = (inverse: bigint): bigint => {
    const square = inverse * inverse;
    let term = one / inverse;
    let sum = term;
    for (let divisor = 3n, sign = -1n; term > 0n; divisor += 2n, sign = -sign) {
      term /= square;
      sum += (sign * term) / divisor;
    }
    return sum;
  };
  const fraction = (4n * (4n * arctan(5n) - arctan(239n)) - 3n * one) >> 64n;
  const hex = fraction.toString(16).padStart(WORDS * 8, "0");
  tables = Uint32Array.from({ length: WORDS }, (_, at) => Number.parseInt(hex.slice(at * 8, at * 8 + 8), 16));
  return tables;
}

/** bcrypt's own base 64. */
function decode(text: string, length: number): Buffer {
  const out = Buffer.alloc(length);
  let bits = 0;
  let have = 0;
  let at = 0;
  for (const letter of text) {
    bits = (bits << 6) | ALPHABET.indexOf(letter);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    if (at < length) out[at++] = (bits >> have) & 0xff;
  }
  return out;
}
