/**
 * Netlink messages as bytes. The native program sends them as they are and knows nothing of what they say; what only it
 * can know (the index of a link, a descriptor) is left open and listed as a patch.
 */
import type { NetlinkBatch } from "../native/protocol.ts";

/** Encoded bytes with the places that are still open. */
export interface Chunk {
  readonly bytes: Buffer;
  readonly patches: readonly Patch[];
}

interface Patch {
  readonly kind: typeof INDEX | typeof NETNS;
  readonly offset: number;
  readonly name: string;
}

/** @see native/net.h */
const INDEX = 1;
const NETNS = 2;

/** NLM_F_*: linux/netlink.h. */
export const flag = {
  request: 1,
  ack: 4,
  replace: 0x100,
  excl: 0x200,
  create: 0x400,
  append: 0x800,
} as const;

export const protocol = { route: 0, netfilter: 12 } as const;

export function raw(bytes: Uint8Array): Chunk {
  return { bytes: Buffer.from(bytes), patches: [] };
}

export function u8(value: number): Chunk {
  return raw(Buffer.of(value));
}

/** In the machine's order, as rtnetlink has it; every machine that Node 24 supports here is little-endian. */
export function u16(value: number): Chunk {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return raw(bytes);
}

export function u32(value: number): Chunk {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return raw(bytes);
}

/** In network order, as nfnetlink has it. */
export function be32(value: number): Chunk {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return raw(bytes);
}

/** With the NUL at the end that the kernel expects of names. */
export function text(value: string): Chunk {
  return raw(Buffer.from(`${value}\0`));
}

/** The index of a link that has this name when the messages are sent, as u32. */
export function indexOf(name: string): Chunk {
  return { bytes: Buffer.alloc(4), patches: [{ kind: INDEX, offset: 0, name }] };
}

/** The container's network namespace, as u32. */
export function netns(): Chunk {
  return { bytes: Buffer.alloc(4), patches: [{ kind: NETNS, offset: 0, name: "" }] };
}

export function join(...chunks: readonly Chunk[]): Chunk {
  const patches: Patch[] = [];
  let offset = 0;
  for (const chunk of chunks) {
    for (const patch of chunk.patches) patches.push({ ...patch, offset: offset + patch.offset });
    offset += chunk.bytes.length;
  }
  return { bytes: Buffer.concat(chunks.map(({ bytes }) => bytes)), patches };
}

/** One attribute, padded. */
export function attr(type: number, ...content: readonly Chunk[]): Chunk {
  const body = join(...content);
  return pad(join(u16(4 + body.bytes.length), u16(type), body));
}

/** An attribute that holds attributes, for those families that insist on the flag. */
export function nested(type: number, ...content: readonly Chunk[]): Chunk {
  return attr(type | 0x8000, ...content);
}

/** One message. No acknowledgement is asked for: the kernel answers errors alone. */
export function message(type: number, flags: number, ...content: readonly Chunk[]): Chunk {
  const body = join(...content);
  return pad(join(u32(16 + body.bytes.length), u16(type), u16(flag.request | flags), u32(0), u32(0), body));
}

/** @param tolerate an errno that is no failure, such as EEXIST */
export function batch(over: number, messages: readonly Chunk[], tolerate = 0): NetlinkBatch {
  const { bytes, patches } = join(...messages);
  return { protocol: over, messages: bytes, patches: Buffer.concat(patches.map(encodePatch)), tolerate };
}

function encodePatch({ kind, offset, name }: Patch): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(kind, 0);
  bytes.writeUInt32LE(offset, 4);
  bytes.write(name, 8, 15, "latin1");
  return bytes;
}

function pad(chunk: Chunk): Chunk {
  const over = chunk.bytes.length % 4;
  return over === 0 ? chunk : join(chunk, raw(Buffer.alloc(4 - over)));
}
