/** Bridges, veth pairs, addresses and routes as netlink messages. */
import type { NetlinkBatch } from "../native/protocol.ts";
import { type Address, addressBytes, broadcastOf, prefixOf } from "./address.ts";
import {
  attr,
  batch,
  type Chunk,
  flag,
  indexOf,
  join,
  message,
  nested,
  netns,
  protocol,
  raw,
  text,
  u8,
  u16,
  u32,
} from "./netlink.ts";

/** linux/rtnetlink.h, linux/if_link.h. */
const NEWLINK = 16;
const DELLINK = 17;
const SETLINK = 19;
const NEWADDR = 20;
const NEWROUTE = 24;
const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  protinfo: 12,
  linkinfo: 18,
  afSpec: 26,
  netnsFd: 28,
} as const;
const UP = 1;
const AF_BRIDGE = 7;
const AF_INET = 2;
const AF_INET6 = 10;
const ENODEV = 19;

/** An address with the length of its network's prefix. */
export interface Interface {
  readonly address: Address;
  readonly length: number;
}

/** Makes a bridge, brings it up and gives it the gateway's addresses. Two batches: an index exists only after the first. */
export function createBridge(
  name: string,
  mac: string,
  mtu: number,
  addresses: readonly Interface[],
): NetlinkBatch[] {
  const link = message(
    NEWLINK,
    flag.create | flag.excl,
    linkHeader(0, raw(Buffer.alloc(4)), UP),
    attr(IFLA.name, text(name)),
    attr(IFLA.address, macBytes(mac)),
    attr(IFLA.mtu, u32(mtu)),
    attr(IFLA.linkinfo, attr(1, text("bridge"))),
  );
  return [
    batch(protocol.route, [link]),
    batch(
      protocol.route,
      addresses.map((one) => newAddress(name, one)),
    ),
  ];
}

/** Changes nothing; fails (EOPNOTSUPP) if the link is of another kind. */
export function checkBridge(name: string): NetlinkBatch {
  const kind = attr(IFLA.linkinfo, attr(1, text("bridge")), attr(2));
  const header = linkHeader(0, raw(Buffer.alloc(4)), 0);
  return batch(protocol.route, [message(NEWLINK, 0, header, attr(IFLA.name, text(name)), kind)]);
}

/** A bridge that is gone already is no failure. */
export function deleteLink(name: string): NetlinkBatch {
  const body = message(DELLINK, 0, linkHeader(0, raw(Buffer.alloc(4)), 0), attr(IFLA.name, text(name)));
  return batch(protocol.route, [body], ENODEV);
}

export interface Veth {
  /** The end that stays with the engine. */
  readonly host: string;
  /** The other one's name in the container. */
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly bridge: string;
  /** Its neighbours on the bridge cannot be reached, the host can (`com.docker.network.bridge.enable_icc=false`). */
  readonly isolated: boolean;
  /** What the container sends may come back to it: it calls a published port of its own. */
  readonly hairpin: boolean;
}

/** One message makes both ends, the far one right in the container's namespace, and enslaves the near one. */
export function createVeth(veth: Veth): NetlinkBatch[] {
  const peer = attr(
    1,
    linkHeader(0, raw(Buffer.alloc(4)), 0),
    attr(IFLA.name, text(veth.name)),
    attr(IFLA.address, macBytes(veth.mac)),
    attr(IFLA.mtu, u32(veth.mtu)),
    attr(IFLA.netnsFd, netns()),
  );
  const pair = message(
    NEWLINK,
    flag.create | flag.excl,
    linkHeader(0, raw(Buffer.alloc(4)), UP),
    attr(IFLA.name, text(veth.host)),
    attr(IFLA.mtu, u32(veth.mtu)),
    attr(IFLA.master, indexOf(veth.bridge)),
    attr(IFLA.linkinfo, attr(1, text("veth")), attr(2, peer)),
  );
  const made = batch(protocol.route, [pair]);
  const settings = [...(veth.hairpin ? [attr(4, u8(1))] : []), ...(veth.isolated ? [attr(33, u8(1))] : [])];
  if (settings.length === 0) return [made];
  // A port of a bridge has settings once it is one: IFLA_BRPORT_MODE and IFLA_BRPORT_ISOLATED.
  const port = message(
    SETLINK,
    0,
    linkHeader(AF_BRIDGE, indexOf(veth.host), 0),
    nested(IFLA.protinfo, ...settings),
  );
  return [made, batch(protocol.route, [port])];
}

/** In the container: the link up, with its addresses; a default route through each of `gateways`. */
export function configure(
  name: string,
  addresses: readonly Interface[],
  gateways: readonly Address[],
): NetlinkBatch {
  return batch(protocol.route, [
    setUp(name),
    ...addresses.map((one) => newAddress(name, one)),
    ...gateways.map((gateway) => route(name, gateway)),
  ]);
}

/** In the container: default routes through another link. */
export function addRoutes(name: string, gateways: readonly Address[]): NetlinkBatch {
  return batch(
    protocol.route,
    gateways.map((gateway) => route(name, gateway)),
  );
}

function setUp(name: string): Chunk {
  return message(NEWLINK, 0, linkHeader(0, indexOf(name), UP));
}

function newAddress(name: string, { address, length }: Interface): Chunk {
  const bytes = raw(addressBytes(address));
  const broadcast = raw(addressBytes(broadcastOf(prefixOf(address, length))));
  // 2 is IFA_F_NODAD: the engine hands out each address once, and a container's first packet need not wait a second.
  const flags = address.family === 6 ? 2 : 0;
  return message(
    NEWADDR,
    flag.create | flag.replace,
    u8(familyOf(address)),
    u8(length),
    u8(flags),
    u8(0),
    indexOf(name),
    attr(2, bytes),
    attr(1, bytes),
    ...(address.family === 4 && length < 31 ? [attr(4, broadcast)] : []),
  );
}

function route(name: string, gateway: Address): Chunk {
  const [main, boot, universe, unicast] = [254, 3, 0, 1];
  return message(
    NEWROUTE,
    flag.create | flag.replace,
    ...[familyOf(gateway), 0, 0, 0, main, boot, universe, unicast].map(u8),
    u32(0),
    attr(5, raw(addressBytes(gateway))),
    attr(4, indexOf(name)),
  );
}

/** struct ifinfomsg. */
function linkHeader(family: number, index: Chunk, flags: number): Chunk {
  return join(u8(family), u8(0), u16(0), index, u32(flags), u32(flags));
}

function familyOf({ family }: Address): number {
  return family === 4 ? AF_INET : AF_INET6;
}

function macBytes(mac: string): Chunk {
  return raw(Buffer.from(mac.replaceAll(":", ""), "hex"));
}

/** Docker's: 02:42 and the IPv4 address, so that a neighbour's cache stays right when an address is given out again. */
export function macOf(address: Address): string {
  return ["02", "42", ...addressBytes(address).subarray(-4).toString("hex").match(/../g)!].join(":");
}
