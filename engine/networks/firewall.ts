/**
 * The rules of the engine's own nftables table: who may talk to whom, whose address is hidden behind the machine's, and
 * where published ports lead. Networks change seldom: then the table is replaced as a whole, in one transaction. Ports
 * come and go with containers: they are elements of two maps.
 */
import type { NetlinkBatch } from "../native/protocol.ts";
import { type Address, addressBytes, type Family, type Prefix } from "./address.ts";
import { attr, batch, type Chunk, message, protocol, raw, u8, u32 } from "./netlink.ts";
import {
  accept,
  concat,
  ctAny,
  DNATTED,
  differs,
  dnat,
  drop,
  type Element,
  ESTABLISHED,
  equal,
  field,
  fromMap,
  hook,
  ifname,
  inSet,
  load,
  mask,
  masquerade,
  meta,
  reg,
  Table,
  type TableFamily,
  toThisMachine,
  transaction,
} from "./nft.ts";

/** What the rules need to know of a bridge network, in one address family. */
export interface Zone {
  readonly bridge: string;
  readonly subnets: readonly Prefix[];
  /** Nothing comes in or goes out. */
  readonly internal: boolean;
  /** Addresses are hidden behind the machine's (`com.docker.network.bridge.enable_ip_masquerade`). */
  readonly masquerade: boolean;
}

export type Protocol = "tcp" | "udp" | "sctp";

/** A published port that the kernel forwards. */
export interface Forward {
  readonly protocol: Protocol;
  /** undefined: every address of the machine. */
  readonly hostAddress: Address | undefined;
  readonly hostPort: number;
  readonly address: Address;
  readonly port: number;
}

const PROTOCOL = { tcp: 6, udp: 17, sctp: 132 } as const;
const FAMILY: Readonly<Record<Family, TableFamily>> = { 4: "ip", 6: "ip6" };
const ANY = "ports";
const EXACT = "address_ports";

/** Makes the table, which must not be there. */
export function createTable(
  name: string,
  family: Family,
  zones: readonly Zone[],
  forwards: readonly Forward[],
): NetlinkBatch {
  return transaction(content(new Table(FAMILY[family], name), family, zones, forwards));
}

/** Replaces the table by one that says this. To destroy takes the kernel some 15 ms (an RCU grace period), to make 1. */
export function replaceTable(
  name: string,
  family: Family,
  zones: readonly Zone[],
  forwards: readonly Forward[],
): NetlinkBatch {
  const table = new Table(FAMILY[family], name);
  return transaction([table.create(), table.destroy(), ...content(table, family, zones, forwards)]);
}

/** Adds networks to a table that is there. */
export function addZones(name: string, family: Family, zones: readonly Zone[]): NetlinkBatch {
  return transaction(zoneMessages(new Table(FAMILY[family], name), family, zones));
}

function content(
  table: Table,
  family: Family,
  zones: readonly Zone[],
  forwards: readonly Forward[],
): Chunk[] {
  return [
    table.create(),
    ...sets(table, family),
    ...forwardChain(table),
    ...natChains(table, family),
    ...zoneMessages(table, family, zones),
    ...elements(forwards, family).map(([map, element]) => table.add(map, [element])),
  ];
}

/** Changes nothing; fails (ENOENT) if the table is not there. */
export function findTable(name: string, family: Family): NetlinkBatch {
  return batch(protocol.netfilter, [new Table(FAMILY[family], name).find()]);
}

/** Changes nothing; fails (ENOENT) unless a Docker engine keeps its rules in this network namespace. */
export function findDocker(): NetlinkBatch {
  return batch(protocol.netfilter, [new Table("ip", "filter").findChain("DOCKER-USER")]);
}

/** Takes the table away. */
export function removeTable(name: string, family: Family): NetlinkBatch {
  const table = new Table(FAMILY[family], name);
  return transaction([table.create(), table.destroy()]);
}

/** All of one family. */
export function addForwards(name: string, family: Family, forwards: readonly Forward[]): NetlinkBatch {
  const table = new Table(FAMILY[family], name);
  return transaction(elements(forwards, family).map(([map, element]) => table.add(map, [element])));
}

/** That they are gone already is no failure. */
export function removeForwards(
  name: string,
  family: Family,
  forwards: readonly Forward[],
): readonly NetlinkBatch[] {
  const table = new Table(FAMILY[family], name);
  // One transaction each: a missing element would undo the others' removal.
  return elements(forwards, family).map(([map, { key }]) =>
    transaction([table.remove(map, [{ key }])], ENOENT),
  );
}
const ENOENT = 2;

function sets(table: Table, family: Family): Chunk[] {
  const address = family === 4 ? 4 : 16;
  return [
    table.set("bridges", 1, [16]),
    table.set("same_bridge", 2, [16, 16]),
    table.set("internal", 3, [16]),
    table.map(ANY, 4, [1, 2], address + 4),
    table.map(EXACT, 5, [1, address, 2], address + 4),
  ];
}

function zoneMessages(table: Table, family: Family, zones: readonly Zone[]): Chunk[] {
  return zones.flatMap((zone) => {
    const name = ifname(zone.bridge);
    return [
      table.add("bridges", [{ key: name }]),
      table.add("same_bridge", [{ key: concat(name, name) }]),
      ...(zone.internal ? [table.add("internal", [{ key: name }])] : []),
      ...(zone.masquerade && !zone.internal ? masqueradeRules(table, FAMILY[family], zone) : []),
    ];
  });
}

/** What is neither from nor to one of our bridges is not ours to judge. */
function forwardChain(table: Table): Chunk[] {
  const chain = "forward";
  return [
    table.chain(chain, hook.forward),
    // Bridged traffic comes by here where br_netfilter is on, as it is by default.
    table.rule(chain, meta("iifname", reg(0)), meta("oifname", reg(4)), inSet("same_bridge", reg(0)), accept),
    table.rule(chain, meta("iifname", reg(0)), inSet("internal", reg(0)), drop),
    table.rule(chain, meta("oifname", reg(0)), inSet("internal", reg(0)), drop),
    table.rule(chain, ctAny("state", ESTABLISHED), accept),
    // A published port is open to all, containers of other networks too.
    table.rule(chain, meta("oifname", reg(0)), inSet("bridges", reg(0)), ctAny("status", DNATTED), accept),
    table.rule(chain, meta("oifname", reg(0)), inSet("bridges", reg(0)), drop),
  ];
}

function natChains(table: Table, family: Family): Chunk[] {
  const ip = FAMILY[family];
  const address = family === 4 ? 4 : 16;
  const parts = Math.ceil(address / 4);
  const exact = [
    meta("l4proto", reg(0)),
    field(ip, "daddr", reg(1)),
    field(ip, "dport", reg(1 + parts)),
    fromMap(EXACT, reg(0), reg(0)),
    dnat(ip, reg(0), reg(parts)),
  ];
  const any = [
    meta("l4proto", reg(0)),
    field(ip, "dport", reg(1)),
    fromMap(ANY, reg(0), reg(0)),
    dnat(ip, reg(0), reg(parts)),
  ];
  // What the machine sends to its own loopback address must not leave it: the monitor's forwarder answers there.
  const notLoopback =
    family === 4
      ? [
          field(ip, "daddr", reg(0)),
          mask(reg(0), Buffer.of(255, 0, 0, 0)),
          differs(reg(0), Buffer.of(127, 0, 0, 0)),
        ]
      : [field(ip, "daddr", reg(0)), differs(reg(0), addressBytes({ family, value: 1n }))];
  return [
    table.chain("prerouting", hook.prerouting),
    table.rule("prerouting", toThisMachine, ...exact),
    table.rule("prerouting", toThisMachine, ...any),
    table.chain("output", hook.output),
    table.rule("output", toThisMachine, ...notLoopback, ...exact),
    table.rule("output", toThisMachine, ...notLoopback, ...any),
    table.chain("postrouting", hook.postrouting),
  ];
}

function masqueradeRules(table: Table, ip: TableFamily, { bridge, subnets }: Zone): Chunk[] {
  return subnets.flatMap((subnet) => {
    const fromSubnet = [
      field(ip, "saddr", reg(0)),
      mask(reg(0), maskOf(subnet)),
      equal(reg(0), addressBytes({ family: subnet.family, value: subnet.base })),
      meta("oifname", reg(0)),
    ];
    return [
      table.rule("postrouting", ...fromSubnet, differs(reg(0), ifname(bridge)), masquerade),
      // A container that calls a published port of its own network: the answer has to come back by us.
      table.rule(
        "postrouting",
        ...fromSubnet,
        equal(reg(0), ifname(bridge)),
        ctAny("status", DNATTED),
        masquerade,
      ),
    ];
  });
}

function maskOf({ family, length }: Prefix): Buffer {
  const bits = family === 4 ? 32n : 128n;
  const value = ((1n << bits) - 1n) ^ ((1n << (bits - BigInt(length))) - 1n);
  return addressBytes({ family, value });
}

function elements(forwards: readonly Forward[], family: Family): (readonly [string, Element])[] {
  return forwards
    .filter(({ address }) => address.family === family)
    .map((forward) => {
      const proto = Buffer.of(PROTOCOL[forward.protocol]);
      const data = concat(addressBytes(forward.address), port(forward.port));
      return forward.hostAddress === undefined
        ? [ANY, { key: concat(proto, port(forward.hostPort)), data }]
        : [EXACT, { key: concat(proto, addressBytes(forward.hostAddress), port(forward.hostPort)), data }];
    });
}

function port(number: number): Buffer {
  return Buffer.of(number >> 8, number & 255);
}

/**
 * Forgets the connections to published UDP ports: those of an earlier container, or from before this one, would go on as
 * they went for as long as they are used.
 *
 * @returns nothing, if no port is udp
 * @see linux/netfilter/nfnetlink_conntrack.h; the filter's bits are those of net/netfilter/nf_conntrack_netlink.c
 */
export function forgetConnections(forwards: readonly Forward[]): NetlinkBatch[] {
  const [deleteConnection, protoNumber, destinationPort] = [(1 << 8) | 2, 1 << 3, 1 << 5];
  const ports = new Set(
    forwards.filter(({ protocol }) => protocol === "udp").map(({ hostPort }) => hostPort),
  );
  return [...ports].map((hostPort) => {
    const proto = attr(2 | NESTED, attr(1, u8(PROTOCOL.udp)), attr(3, raw(port(hostPort))));
    const filter = attr(25 | NESTED, attr(1, u32(protoNumber | destinationPort)));
    const header = [u8(2), u8(0), raw(Buffer.of(0, 0))];
    return batch(
      protocol.netfilter,
      [message(deleteConnection, 0, ...header, attr(1 | NESTED, proto), filter)],
      ENOENT,
    );
  });
}
const NESTED = 0x8000;

/** In a container: what goes to port 53 of its resolver's address goes to the port where the resolver listens. */
export function redirectDns(to: number): NetlinkBatch {
  const table = new Table("ip", "slipway_dns");
  const resolver = Buffer.of(127, 0, 0, 11);
  const rule = (protocol: number): Chunk =>
    table.rule(
      "output",
      field("ip", "daddr", reg(0)),
      equal(reg(0), resolver),
      meta("l4proto", reg(0)),
      equal(reg(0), Buffer.of(protocol)),
      field("ip", "dport", reg(0)),
      equal(reg(0), port(53)),
      ...loadResolver(resolver, to),
    );
  return transaction([
    table.create(),
    table.chain("output", hook.output),
    rule(PROTOCOL.udp),
    rule(PROTOCOL.tcp),
  ]);
}

function loadResolver(resolver: Buffer, to: number): Chunk[] {
  return [load(reg(0), resolver), load(reg(1), port(to)), dnat("ip", reg(0), reg(1))];
}
