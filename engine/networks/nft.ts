/**
 * nftables as nfnetlink messages: tables, chains, sets, maps, rules and the few expressions that our rules are made of.
 * Names and numbers are those of linux/netfilter/nf_tables.h. All numbers are in network order; data in registers is as
 * it stands in the packet.
 */
import type { NetlinkBatch } from "../native/protocol.ts";
import {
  attr,
  batch,
  be32,
  type Chunk,
  flag,
  join,
  message,
  nested,
  protocol,
  raw,
  text,
  u8,
} from "./netlink.ts";

export type TableFamily = "ip" | "ip6";

const NFPROTO = { ip: 2, ip6: 10 } as const;
const NFTABLES = 10 << 8;
const MSG = {
  newTable: 0,
  getTable: 1,
  delTable: 2,
  newChain: 3,
  getChain: 4,
  newRule: 6,
  newSet: 9,
  newElement: 12,
  delElement: 14,
} as const;

/** Where a chain hooks in, with its type, priority (lower comes first) and NF_INET_* number. */
export const hook = {
  prerouting: { type: "nat", number: 0, priority: -100 },
  output: { type: "nat", number: 3, priority: -100 },
  postrouting: { type: "nat", number: 4, priority: 100 },
  forward: { type: "filter", number: 2, priority: 0 },
} as const;

/** Registers of 4 bytes; `reg(4)` and on begin the second 16 bytes, where a second interface name goes. */
export function reg(number: number): number {
  return 8 + number;
}

/** Either all of the messages take effect, or none. */
export function transaction(messages: readonly Chunk[], tolerate = 0): NetlinkBatch {
  const edge = (type: number): Chunk => message(type, 0, u8(0), u8(0), raw(Buffer.of(0, 10)));
  return batch(protocol.netfilter, [edge(16), ...messages, edge(17)], tolerate);
}

/** The messages that concern one table. */
export class Table {
  readonly #family: TableFamily;
  readonly #name: string;

  constructor(family: TableFamily, name: string) {
    this.#family = family;
    this.#name = name;
  }

  create(): Chunk {
    return this.#message(MSG.newTable, flag.create, attr(1, text(this.#name)));
  }

  /** Asks for it: fails (ENOENT) if it is not there. Outside of a transaction. */
  find(): Chunk {
    return this.#message(MSG.getTable, 0, attr(1, text(this.#name)));
  }

  /** Asks for a chain: fails (ENOENT) if it is not there. Outside of a transaction. */
  findChain(name: string): Chunk {
    return this.#message(MSG.getChain, 0, attr(1, text(this.#name)), attr(3, text(name)));
  }

  /** Removes all that is in it too. It must exist; `create` before it in the same transaction sees to that. */
  destroy(): Chunk {
    return this.#message(MSG.delTable, 0, attr(1, text(this.#name)));
  }

  /** A chain that the kernel calls; what no rule decides is let through. */
  chain(name: string, { type, number, priority }: (typeof hook)[keyof typeof hook]): Chunk {
    return this.#message(
      MSG.newChain,
      flag.create,
      attr(1, text(this.#name)),
      attr(3, text(name)),
      nested(4, attr(1, be32(number)), attr(2, be32(priority))),
      attr(5, be32(ACCEPT)),
      attr(7, text(type)),
    );
  }

  rule(chain: string, ...expressions: readonly Chunk[]): Chunk {
    return this.#message(
      MSG.newRule,
      flag.create | flag.append,
      attr(1, text(this.#name)),
      attr(2, text(chain)),
      nested(4, ...expressions),
    );
  }

  /**
   * A set of keys.
   *
   * @param id unique in the transaction
   * @param key lengths of the parts in bytes, each padded to 4 in the key
   */
  set(name: string, id: number, key: readonly number[]): Chunk {
    return this.#set(name, id, key, 0);
  }

  /** A map from keys to data of `data` bytes. */
  map(name: string, id: number, key: readonly number[], data: number): Chunk {
    return this.#set(name, id, key, 8, attr(6, be32(0)), attr(7, be32(data)));
  }

  #set(name: string, id: number, key: readonly number[], flags: number, ...more: readonly Chunk[]): Chunk {
    const length = key.reduce((sum, part) => sum + padded(part), 0);
    return this.#message(
      MSG.newSet,
      flag.create,
      attr(1, text(this.#name)),
      attr(2, text(name)),
      attr(3, be32(flags)),
      attr(4, be32(0)),
      attr(5, be32(length)),
      attr(10, be32(id)),
      ...more,
    );
  }

  /** Adds elements. One that is there already, with the same data, is no error. */
  add(set: string, elements: readonly Element[]): Chunk {
    return this.#elements(MSG.newElement, flag.create, set, elements);
  }

  /** Takes elements away; each must be there. */
  remove(set: string, elements: readonly Element[]): Chunk {
    return this.#elements(MSG.delElement, 0, set, elements);
  }

  #elements(type: number, flags: number, set: string, elements: readonly Element[]): Chunk {
    const list = elements.map(({ key, data }) =>
      nested(
        1,
        nested(1, nested(1, raw(key))),
        ...(data === undefined ? [] : [nested(2, nested(1, raw(data)))]),
      ),
    );
    return this.#message(type, flags, attr(1, text(this.#name)), attr(2, text(set)), nested(3, ...list));
  }

  #message(type: number, flags: number, ...content: readonly Chunk[]): Chunk {
    return message(
      NFTABLES | type,
      flags,
      u8(NFPROTO[this.#family]),
      u8(0),
      raw(Buffer.of(0, 0)),
      ...content,
    );
  }
}

export interface Element {
  readonly key: Buffer;
  /** Of a map. */
  readonly data?: Buffer;
}

/** A key of several parts, each padded to 4 bytes. */
export function concat(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.concat([part], padded(part.length))));
}

/** An interface's name as it stands in a register. */
export function ifname(name: string): Buffer {
  return Buffer.concat([Buffer.from(name, "latin1")], 16);
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

const ACCEPT = 1;
const DROP = 0;

function expression(name: string, ...content: readonly Chunk[]): Chunk {
  return nested(1, attr(1, text(name)), nested(2, ...content));
}

function verdict(code: number): Chunk {
  return expression("immediate", attr(1, be32(0)), nested(2, nested(2, attr(1, be32(code)))));
}

export const accept = verdict(ACCEPT);
export const drop = verdict(DROP);

const META = { iifname: 6, oifname: 7, l4proto: 16 } as const;

/** Loads what is known about the packet: 16 bytes of a name, 1 byte of a protocol. */
export function meta(key: keyof typeof META, register: number): Chunk {
  return expression("meta", attr(1, be32(register)), attr(2, be32(META[key])));
}

const FIELD = {
  ip: { saddr: [1, 12, 4], daddr: [1, 16, 4], dport: [2, 2, 2] },
  ip6: { saddr: [1, 8, 16], daddr: [1, 24, 16], dport: [2, 2, 2] },
} as const;

/** Loads a field of the packet. */
export function field(family: TableFamily, name: keyof (typeof FIELD)["ip"], register: number): Chunk {
  const [base, offset, length] = FIELD[family][name];
  return expression(
    "payload",
    attr(1, be32(register)),
    attr(2, be32(base)),
    attr(3, be32(offset)),
    attr(4, be32(length)),
  );
}

export function equal(register: number, data: Uint8Array): Chunk {
  return compare(0, register, data);
}

export function differs(register: number, data: Uint8Array): Chunk {
  return compare(1, register, data);
}

function compare(op: number, register: number, data: Uint8Array): Chunk {
  return expression("cmp", attr(1, be32(register)), attr(2, be32(op)), nested(3, nested(1, raw(data))));
}

/** Keeps the bits of `mask` in a register. */
export function mask(register: number, bits: Uint8Array): Chunk {
  return expression(
    "bitwise",
    attr(1, be32(register)),
    attr(2, be32(register)),
    attr(3, be32(bits.length)),
    nested(4, nested(1, raw(bits))),
    nested(5, nested(1, raw(Buffer.alloc(bits.length)))),
  );
}

/** Goes on with the next expression if the key that begins at `register` is in the set. */
export function inSet(name: string, register: number): Chunk {
  return expression("lookup", attr(1, text(name)), attr(2, be32(register)));
}

/** The same for a map; its data is put to `destination`. */
export function fromMap(name: string, register: number, destination: number): Chunk {
  return expression("lookup", attr(1, text(name)), attr(2, be32(register)), attr(3, be32(destination)));
}

/** Loads an address (and port) that is known beforehand. */
export function load(register: number, data: Uint8Array): Chunk {
  return expression("immediate", attr(1, be32(register)), nested(2, nested(1, raw(data))));
}

/** Sends the connection to the address and port in two registers. */
export function dnat(family: TableFamily, address: number, port: number): Chunk {
  return expression(
    "nat",
    attr(1, be32(1)),
    attr(2, be32(NFPROTO[family])),
    attr(3, be32(address)),
    attr(5, be32(port)),
  );
}

export const masquerade = expression("masq");

const CT = { state: 0, status: 2 } as const;

/** Loads 4 bytes of the connection's state, in the machine's order. */
export function ct(key: keyof typeof CT, register: number): Chunk {
  return expression("ct", attr(1, be32(register)), attr(2, be32(CT[key])));
}

/** Goes on if any of the bits is set. */
export function ctAny(key: keyof typeof CT, bits: number): Chunk {
  const wanted = Buffer.alloc(4);
  wanted.writeUInt32LE(bits);
  return join(ct(key, reg(0)), mask(reg(0), wanted), differs(reg(0), Buffer.alloc(4)));
}

/** NF_CT_STATE_BIT(IP_CT_ESTABLISHED) and of IP_CT_RELATED. */
export const ESTABLISHED = (1 << 1) | (1 << 2);
/** IPS_DST_NAT. */
export const DNATTED = 1 << 5;

/** Goes on if the destination is an address of this machine. */
export const toThisMachine = join(
  expression("fib", attr(1, be32(reg(0))), attr(2, be32(3)), attr(3, be32(2))),
  equal(reg(0), Buffer.of(2, 0, 0, 0)),
);
