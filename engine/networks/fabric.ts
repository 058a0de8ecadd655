import { type Address, type Family, formatAddress, parseAddress } from "./address.ts";
import { deviceOf, isOn, mtuOf, poolsOf, subnetsOf } from "./create.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Forward, Zone } from "./firewall.ts";
import { AddressPool } from "./ipam.ts";
import { macOf } from "./links.ts";
import type { Machine } from "./machine.ts";
import type { NetworkRecord } from "./types.ts";

/** A network with what is there of it. */
interface Entry {
  readonly record: NetworkRecord;
  readonly pools: readonly AddressPool[];
  /** Set when its device is made; the same promise for all who need it. */
  device: Promise<void> | undefined;
}

/** What each network has of its own: the addresses it gives out, and its bridge with its rules once somebody needs them. */
export class Fabric {
  readonly #machine: Machine;
  readonly #forwards: () => readonly Forward[];
  readonly #entries = new Map<string, Entry>();

  /** @param forwards all published ports that the kernel forwards */
  constructor(machine: Machine, forwards: () => readonly Forward[]) {
    this.#machine = machine;
    this.#forwards = forwards;
  }

  add(record: NetworkRecord): void {
    const pools = poolsOf(record).map((pool) => new AddressPool(pool));
    this.#entries.set(record.Id, { record, pools, device: undefined });
  }

  pools(networkId: string): readonly AddressPool[] {
    return this.#entries.get(networkId)?.pools ?? [];
  }

  /** The address by which containers reach the machine on this network. */
  gateway(networkId: string): string {
    const gateway = this.pools(networkId)[0]?.pool.gateway;
    return gateway === undefined ? "" : formatAddress(gateway);
  }

  /** Sees to it that a network's bridge and rules are there. */
  ensure(networkId: string): Promise<void> {
    const entry = this.#entries.get(networkId);
    if (entry === undefined || entry.record.Driver !== "bridge") return Promise.resolve();
    if (entry.device === undefined) {
      entry.device = this.#make(entry);
      entry.device.catch(() => {
        entry.device = undefined;
      });
    }
    return entry.device;
  }

  /** Puts the rules back if somebody took them away. */
  async verify(): Promise<void> {
    const families = new Set(
      [...this.#entries.values()]
        .flatMap(({ record, device }) => (device ? subnetsOf(record) : []))
        .map(({ family }) => family),
    );
    for (const family of families) await this.#machine.verify(family, () => this.#rules(family));
  }

  /** Removes what is left of networks that have no record any more. */
  async sweep(): Promise<void> {
    await this.#machine.removeOtherBridges(
      new Set([...this.#entries.values()].map(({ record }) => deviceOf(record))),
    );
  }

  /** Takes bridge and rules away; the network can come back by `ensure` unless it is `removed`. */
  async undo(record: NetworkRecord): Promise<void> {
    const entry = this.#entries.get(record.Id);
    if (record.Driver !== "bridge" || entry?.device === undefined) return;
    await entry.device.catch(() => {}); // Whoever asked for it was told.
    entry.device = undefined;
    const families = new Set(subnetsOf(record).map(({ family }) => family));
    await Promise.all([
      this.#machine.removeBridge(deviceOf(record)),
      ...[...families].map((family) => this.#machine.rules(family, () => this.#rules(family))),
    ]);
  }

  /** Takes away all that this engine or one before it has made. */
  async undoAll(): Promise<void> {
    for (const entry of this.#entries.values()) entry.device = undefined;
    await this.#machine.removeOtherBridges(new Set());
    for (const family of [4, 6] as const) {
      await this.#machine.rules(family, () => this.#rules(family));
      await this.#machine.endForwarding(family);
    }
  }

  async remove(record: NetworkRecord): Promise<void> {
    await this.undo(record);
    this.#entries.delete(record.Id);
  }

  /** Notes the addresses of an endpoint that an earlier daemon made. */
  restore({ networkId, addresses }: Endpoint): void {
    for (const { address } of addresses)
      this.#eachPool(networkId, address, (pool, parsed) => pool.restore(parsed));
  }

  release({ networkId, addresses }: Endpoint): void {
    for (const { address } of addresses)
      this.#eachPool(networkId, address, (pool, parsed) => pool.release(parsed));
  }

  #eachPool(networkId: string, address: string, act: (pool: AddressPool, address: Address) => void): void {
    const parsed = parseAddress(address);
    if (parsed === undefined) return;
    for (const pool of this.pools(networkId)) if (pool.family === parsed.family) act(pool, parsed);
  }

  async #make({ record, pools }: Entry): Promise<void> {
    const addresses = pools.map(({ pool }) => ({ address: pool.gateway, length: pool.subnet.length }));
    const name = deviceOf(record);
    const first = addresses[0]?.address ?? { family: 4, value: BigInt(`0x${record.Id.slice(0, 8)}`) };
    const families = [...new Set(addresses.map(({ address }) => address.family))];
    await Promise.all([
      this.#machine.bridge({ name, mac: macOf(first), mtu: mtuOf(record), addresses }),
      ...families.map((family) => this.#machine.rules(family, () => this.#rules(family))),
      ...(record.Internal ? [] : families.map((family) => this.#machine.forwarding(family))),
    ]);
  }

  #rules(family: Family): { zones: readonly Zone[]; forwards: readonly Forward[] } {
    const zones = [...this.#entries.values()]
      .filter(({ record, device }) => record.Driver === "bridge" && device !== undefined)
      .map(({ record }) => ({
        bridge: deviceOf(record),
        subnets: subnetsOf(record).filter((subnet) => subnet.family === family),
        internal: record.Internal,
        masquerade: isOn(record, "enable_ip_masquerade"),
      }));
    return { zones, forwards: this.#forwards() };
  }
}
