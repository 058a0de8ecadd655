import { isIP } from "node:net";

export type Family = 4 | 6;

/** An IP address as a number, so that pools are arithmetic. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A range of addresses that share their first `length` bits. */
export interface Prefix {
  readonly family: Family;
  /** The first address; host bits are zero. */
  readonly base: bigint;
  readonly length: number;
}

/** @returns undefined if `text` is no address; zones (`%eth0`) are not taken */
export function parseAddress(text: string): Address | undefined {
  if (text.includes("%")) return undefined;
  const family = isIP(text);
  if (family === 4) return { family, value: fromBytes(text.split(".").map(Number)) };
  if (family === 6) return { family, value: parseGroups(text) };
  return undefined;
}

function parseGroups(text: string): bigint {
  const [head = "", tail] = text.replace(/\d+\.\d+\.\d+\.\d+$/, dottedToGroups).split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const left = groups(head);
  const right = groups(tail ?? "");
  const middle = Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...(tail === undefined ? [] : middle), ...right].reduce(
    (value, group) => (value << 16n) | BigInt(`0x${group}`),
    0n,
  );
}

function dottedToGroups(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** IPv6 in the short form of RFC 5952. */
export function formatAddress({ family, value }: Address): string {
  const bytes = addressBytes({ family, value });
  if (family === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16));
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length === 1) return groups.join(":");
  return `${groups.slice(0, best.start).join(":")}::${groups.slice(best.start + best.length).join(":")}`;
}

/** In network order: 4 or 16 bytes. */
export function addressBytes({ family, value }: Address): Buffer {
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, "0"), "hex");
}

function fromBytes(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

export function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/**
 * Reads `10.1.2.3/16`.
 *
 * @returns the prefix (10.1.0.0/16), or undefined
 */
export function parsePrefix(text: string): Prefix | undefined {
  const parts = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = parts === null ? undefined : parseAddress(parts[1] ?? "");
  const length = Number(parts?.[2]);
  if (address === undefined || length > bitsOf(address.family)) return undefined;
  return prefixOf(address, length);
}

export function prefixOf({ family, value }: Address, length: number): Prefix {
  const host = BigInt(bitsOf(family) - length);
  return { family, base: (value >> host) << host, length };
}

export function formatPrefix({ family, base, length }: Prefix): string {
  return `${formatAddress({ family, value: base })}/${length}`;
}

/** How many addresses there are. */
export function sizeOf({ family, length }: Prefix): bigint {
  return 1n << BigInt(bitsOf(family) - length);
}

export function contains(prefix: Prefix, address: Address): boolean {
  return (
    prefix.family === address.family &&
    address.value >= prefix.base &&
    address.value < prefix.base + sizeOf(prefix)
  );
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && a.base < b.base + sizeOf(b) && b.base < a.base + sizeOf(a);
}

/** The broadcast address of an IPv4 prefix. */
export function broadcastOf(prefix: Prefix): Address {
  return { family: prefix.family, value: prefix.base + sizeOf(prefix) - 1n };
}
