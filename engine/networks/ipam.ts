/**
 * Which subnet a network gets, and which address an endpoint. Pools are Docker's: 172.17.0.0/16 to 172.31.0.0/16, then
 * 192.168.0.0/20 and on.
 */
import { EngineError } from "../errors.ts";
import {
  type Address,
  broadcastOf,
  contains,
  type Family,
  formatAddress,
  formatPrefix,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixOf,
  sizeOf,
} from "./address.ts";
import type { IpamPool } from "./types.ts";

/** A subnet as a network uses it. */
export interface Pool {
  readonly subnet: Prefix;
  /** What addresses are taken from, unless one is asked for. */
  readonly range: Prefix;
  readonly gateway: Address;
  /** Given to nobody. */
  readonly reserved: readonly Address[];
}

const DEFAULTS = [
  ...Array.from({ length: 15 }, (_, at) => `172.${17 + at}.0.0/16`),
  ...Array.from({ length: 16 }, (_, at) => `192.168.${16 * at}.0/20`),
].map((text) => parsePrefix(text)!);

/** @throws {EngineError} unavailable, if every default pool overlaps with one in use */
export function choosePool(inUse: readonly Prefix[]): Pool {
  const subnet = DEFAULTS.find((candidate) => !inUse.some((used) => overlaps(used, candidate)));
  if (subnet === undefined) {
    throw new EngineError(
      "unavailable",
      "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    );
  }
  return { subnet, range: subnet, gateway: nth(subnet, 1n), reserved: [] };
}

/**
 * A subnet of unique local addresses for a network that has IPv6 switched on and names no subnet.
 *
 * @param id the network's: the same network always gets the same one
 */
export function localPool(id: string): Pool {
  const base = (0xfdn << 120n) | (BigInt(`0x${id.slice(0, 14)}`) << 64n);
  const subnet = prefixOf({ family: 6, value: base }, 64);
  return { subnet, range: subnet, gateway: nth(subnet, 1n), reserved: [] };
}

/**
 * Checks a subnet that a user gave.
 *
 * @throws {EngineError} invalid, if an address in it cannot be read or lies outside; Docker's words
 */
export function readPool(given: IpamPool): Pool {
  const text = given.Subnet ?? "";
  const subnet = parsePrefix(text);
  if (subnet === undefined) throw invalid(`invalid subnet ${text}: invalid CIDR block notation`);
  if (parseAddress(text.split("/")[0] ?? "")?.value !== subnet.base) {
    throw invalid(`invalid subnet ${text}: it should be ${formatPrefix(subnet)}`);
  }
  const range = given.IPRange ? parsePrefix(given.IPRange) : subnet;
  if (range === undefined) throw invalid(`invalid ip-range ${given.IPRange}: invalid CIDR block notation`);
  if (range.family !== subnet.family || range.length < subnet.length || !overlaps(range, subnet)) {
    throw invalid(
      `invalid ip-range ${given.IPRange}: parent subnet ${formatPrefix(subnet)} doesn't contain ip-range`,
    );
  }
  const gateway = given.Gateway ? inside(subnet, given.Gateway, "gateway") : nth(subnet, 1n);
  const others = Object.values(given.AuxiliaryAddresses ?? {});
  return { subnet, range, gateway, reserved: others.map((one) => inside(subnet, one, "auxiliary address")) };
}

function inside(subnet: Prefix, text: string, what: string): Address {
  const address = parseAddress(text.split("/")[0] ?? "");
  if (address === undefined) throw invalid(`invalid ${what} ${text}: invalid address`);
  if (!contains(subnet, address)) {
    throw invalid(
      `invalid ${what} ${text}: parent subnet ${formatPrefix(subnet)} doesn't contain this address`,
    );
  }
  return address;
}

function invalid(why: string): EngineError {
  return new EngineError("invalid", `invalid network config:\n${why}`);
}

function nth(subnet: Prefix, number: bigint): Address {
  return { family: subnet.family, value: subnet.base + number };
}

/** How long an address stays free before it is given out again: its last owner's link lives on for some milliseconds. */
const REST = 5000;

/** The addresses of one pool. */
export class AddressPool {
  readonly pool: Pool;
  readonly #now: () => number;
  readonly #taken = new Set<bigint>();
  /** When an address was given back, oldest first. */
  readonly #resting = new Map<bigint, number>();

  /** @param now milliseconds of a clock that does not go back */
  constructor(pool: Pool, now: () => number = () => performance.now()) {
    this.pool = pool;
    this.#now = now;
    const { subnet } = pool;
    this.#taken.add(pool.gateway.value);
    for (const { value } of pool.reserved) this.#taken.add(value);
    // The network itself; and broadcast, but /31 and /32 have none (RFC 3021).
    if (sizeOf(subnet) > 2n) {
      this.#taken.add(subnet.base);
      if (subnet.family === 4) this.#taken.add(broadcastOf(subnet).value);
    }
  }

  get family(): Family {
    return this.pool.subnet.family;
  }

  /**
   * Takes the lowest address that is free and rested, or else the one that rested longest.
   *
   * @throws {EngineError} unavailable, if there is none
   */
  take(): Address {
    const { range } = this.pool;
    const now = this.#now();
    for (const [value, since] of this.#resting) {
      if (now - since < REST) break;
      this.#resting.delete(value);
    }
    const end = range.base + sizeOf(range);
    for (let value = range.base; value < end; value++) {
      if (!this.#taken.has(value) && !this.#resting.has(value)) return this.#give(value);
    }
    for (const value of this.#resting.keys())
      if (value >= range.base && value < end) return this.#give(value);
    throw new EngineError(
      "unavailable",
      `no available IPv${this.family} addresses on this network's address pools: ${formatPrefix(range)}`,
    );
  }

  /** @throws {EngineError} conflict, if the address is in use; invalid, if it is not of this pool */
  takeThis(address: Address): Address {
    if (!contains(this.pool.subnet, address)) {
      throw new EngineError(
        "invalid",
        `invalid address ${formatAddress(address)}: it is not in subnet ${formatPrefix(this.pool.subnet)}`,
      );
    }
    if (this.#taken.has(address.value)) throw new EngineError("conflict", "Address already in use");
    return this.#give(address.value);
  }

  /** Notes an address that an earlier daemon gave out. */
  restore(address: Address): void {
    if (contains(this.pool.subnet, address)) this.#give(address.value);
  }

  release({ value }: Address): void {
    if (!this.#taken.delete(value)) return;
    this.#resting.delete(value);
    this.#resting.set(value, this.#now());
  }

  #give(value: bigint): Address {
    this.#taken.add(value);
    this.#resting.delete(value);
    return { family: this.family, value };
  }
}
