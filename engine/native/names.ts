/**
 * File names are bytes, most often UTF-8. As text a byte that is no part of a character becomes a lone surrogate,
 * U+DC80 to U+DCFF, and is a byte again when the name goes back to the kernel, as Python has it (PEP 383).
 */

const ESCAPE = 0xdc00;
/** What Node puts in the place of bytes that are no character. */
const REPLACEMENT = "\ufffd";

export function decodeName(bytes: Buffer, start = 0, end = bytes.length): string {
  const text = bytes.toString("utf8", start, end);
  return text.includes(REPLACEMENT) ? decodeOdd(bytes.subarray(start, end)) : text;
}

export function encodeName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name);
  return Buffer.concat(
    [...name].map((character) => {
      const code = character.charCodeAt(0);
      const isByte = character.length === 1 && code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff;
      return isByte ? Buffer.from([code - ESCAPE]) : Buffer.from(character);
    }),
  );
}

function decodeOdd(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    text += length > 0 ? bytes.toString("utf8", at, at + length) : String.fromCharCode(ESCAPE + bytes[at]!);
    at += Math.max(length, 1);
  }
  return text;
}

/** Of the character that begins there, 0 if there is none. @see RFC 3629, section 3 */
function characterLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length < 2) return length;
  const piece = bytes.subarray(at, at + length);
  const isCharacter = piece.length === length && Buffer.from(piece.toString("utf8")).equals(piece);
  return isCharacter ? length : 0;
}
