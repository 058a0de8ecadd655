/** One container on one network: its link, addresses and names, and how inspect shows it. */
import { randomBytes } from "node:crypto";
import { EngineError } from "../errors.ts";
import type { Op } from "../native/protocol.ts";
import { type Address, contains, formatAddress, parseAddress } from "./address.ts";
import { deviceOf, isDefaultBridge, isOn, mtuOf, subnetsOf } from "./create.ts";
import type { AddressPool } from "./ipam.ts";
import { configure, createVeth, type Interface, macOf } from "./links.ts";
import type { NamedEndpoint } from "./names.ts";
import type { EndpointRequest, EndpointState, NetworkContainer, NetworkRecord } from "./types.ts";

/** What is kept of an endpoint while its container runs. Plain JSON. */
export interface Endpoint {
  readonly networkId: string;
  readonly endpointId: string;
  readonly request: EndpointRequest;
  /** The link's name in the container. */
  readonly name: string;
  /** The other end's name in the engine's namespace; empty for `host` and `none`, which make no link. */
  readonly host: string;
  readonly mac: string;
  readonly addresses: readonly EndpointAddress[];
  /** Of a user's network; the default one has no name service. */
  readonly dnsNames: readonly string[];
}

export interface EndpointAddress {
  readonly address: string;
  readonly length: number;
  /** Empty on an internal network: there is no way out. */
  readonly gateway: string;
}

/**
 * Takes addresses and makes up names. Nothing is changed in the kernel.
 *
 * @param name of the link in the container
 * @throws {EngineError} conflict or invalid for an address that cannot be had; no address is kept then
 */
export function makeEndpoint(
  network: NetworkRecord,
  pools: readonly AddressPool[],
  request: EndpointRequest,
  name: string,
  dnsNames: readonly string[],
): Endpoint {
  const taken: { pool: AddressPool; address: Address }[] = [];
  try {
    for (const pool of onePoolAFamily(pools, request))
      taken.push({ pool, address: takeAddress(pool, request) });
  } catch (error) {
    for (const { pool, address } of taken) pool.release(address);
    throw error;
  }
  const first = taken[0]?.address;
  return {
    networkId: network.Id,
    endpointId: randomBytes(32).toString("hex"),
    request,
    name,
    // Never used again: the old link of that name may live on for some milliseconds.
    host: network.Driver === "bridge" ? `veth${randomBytes(5).toString("hex")}` : "",
    mac: request.MacAddress?.toLowerCase() || (first === undefined ? "" : macOf(first)),
    addresses: taken.map(({ pool, address }) => ({
      address: formatAddress(address),
      length: pool.pool.subnet.length,
      gateway: network.Internal ? "" : formatAddress(pool.pool.gateway),
    })),
    dnsNames: isDefaultBridge(network) ? [] : [...new Set(dnsNames)],
  };
}

/**
 * Checks what can be checked before there is an endpoint.
 *
 * @throws {EngineError} invalid, in Docker's words, all mistakes at once
 */
export function checkEndpointRequest(network: NetworkRecord, request: EndpointRequest): void {
  const ipv4 = request.IPAMConfig?.IPv4Address ?? "";
  const ipv6 = request.IPAMConfig?.IPv6Address ?? "";
  const given = [ipv4, ipv6].filter((text) => text !== "");
  const mistakes: string[] = [];
  if (isDefaultBridge(network) || network.Driver !== "bridge") {
    if (given.length > 0)
      mistakes.push("user specified IP address is supported on user defined networks only");
    if (request.Aliases?.length)
      mistakes.push("network-scoped aliases are only supported for user-defined networks");
  } else if (given.length > 0 && !network.OwnSubnets) {
    mistakes.push(
      "user specified IP address is supported only when connecting to networks with user configured subnets",
    );
  } else {
    const subnets = subnetsOf(network);
    for (const text of given) {
      const address = parseAddress(text);
      if (address === undefined) mistakes.push(`invalid IP address: ${text}`);
      else if (!subnets.some((subnet) => contains(subnet, address))) {
        mistakes.push(`no configured subnet or ip-range contain the IP address ${text}`);
      }
    }
  }
  if (request.MacAddress && !isUnicastMac(request.MacAddress)) {
    mistakes.push(`invalid MAC address: ${request.MacAddress}`);
  }
  if (mistakes.length === 0) return;
  const what = `invalid config for network ${network.Name}: invalid endpoint settings`;
  throw new EngineError("invalid", `${what}:\n${mistakes.join("\n")}`);
}

export function isUnicastMac(text: string): boolean {
  return /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(text) && !/^00(:00){5}$/.test(text);
}

function onePoolAFamily(pools: readonly AddressPool[], request: EndpointRequest): AddressPool[] {
  return ([4, 6] as const).flatMap((family) => {
    const candidates = pools.filter((pool) => pool.family === family);
    const wanted = parseAddress(wantedAddress(family, request));
    const fitting = candidates.find(({ pool: { subnet } }) => wanted && contains(subnet, wanted));
    return fitting ?? candidates[0] ?? [];
  });
}

function wantedAddress(family: 4 | 6, { IPAMConfig }: EndpointRequest): string {
  return (family === 4 ? IPAMConfig?.IPv4Address : IPAMConfig?.IPv6Address) ?? "";
}

function takeAddress(pool: AddressPool, request: EndpointRequest): Address {
  const wanted = wantedAddress(pool.family, request);
  if (wanted === "") return pool.take();
  const address = parseAddress(wanted);
  if (address === undefined) throw new EngineError("invalid", `invalid IP address: ${wanted}`);
  return pool.takeThis(address);
}

/** How an endpoint stands among its container's. */
export interface EndpointRole {
  /** The default routes go through it. */
  readonly isGateway: boolean;
  /** Published ports lead to it. */
  readonly publishes: boolean;
}

/** What makes the link, in the order in which it has to happen. */
export function endpointOps(endpoint: Endpoint, network: NetworkRecord, role: EndpointRole): Op[] {
  const { name, host, mac } = endpoint;
  const isolated = !isOn(network, "enable_icc");
  const bridge = deviceOf(network);
  const veth = createVeth({
    host,
    name,
    mac,
    mtu: mtuOf(network),
    bridge,
    isolated,
    hairpin: role.publishes,
  });
  const gateways = role.isGateway ? gatewaysOf(endpoint) : [];
  return [
    ...veth.map((batch) => ({ op: "hostNetlink", ...batch }) as const),
    { op: "containerNetlink", ...configure(name, interfacesOf(endpoint), gateways) },
  ];
}

export function gatewaysOf({ addresses }: Endpoint): Address[] {
  return addresses.flatMap(({ gateway }) => parseAddress(gateway) ?? []);
}

function interfacesOf({ addresses }: Endpoint): Interface[] {
  return addresses.map(({ address, length }) => ({ address: parseAddress(address)!, length }));
}

export function addressOf(endpoint: Endpoint, family: 4 | 6): EndpointAddress | undefined {
  return endpoint.addresses.find(({ address }) => address.includes(":") === (family === 6));
}

/** The names that the network's table gets, each also as `name.network`. */
export function namedEndpoint(
  endpoint: Endpoint,
  network: NetworkRecord,
  containerName: string,
): NamedEndpoint {
  return {
    names: endpoint.dnsNames.flatMap((name) => [name, `${name}.${network.Name}`]),
    addresses: endpoint.addresses.map(({ address }) => address),
    reverse: `${containerName}.${network.Name}`,
  };
}

export function endpointState(endpoint: Endpoint): EndpointState {
  const { request } = endpoint;
  const v4 = addressOf(endpoint, 4);
  const v6 = addressOf(endpoint, 6);
  return {
    IPAMConfig: request.IPAMConfig ?? null,
    Links: request.Links ?? null,
    Aliases: request.Aliases ?? null,
    MacAddress: endpoint.mac,
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.endpointId,
    Gateway: v4?.gateway ?? "",
    IPAddress: v4?.address ?? "",
    IPPrefixLen: v4?.length ?? 0,
    IPv6Gateway: v6?.gateway ?? "",
    GlobalIPv6Address: v6?.address ?? "",
    GlobalIPv6PrefixLen: v6?.length ?? 0,
    DriverOpts: request.DriverOpts ?? null,
    DNSNames: endpoint.dnsNames.length > 0 ? endpoint.dnsNames : null,
  };
}

/** How an inspected network lists it. */
export function networkContainer(endpoint: Endpoint, containerName: string): NetworkContainer {
  const show = (family: 4 | 6): string => {
    const found = addressOf(endpoint, family);
    return found === undefined ? "" : `${found.address}/${found.length}`;
  };
  return {
    Name: containerName,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.mac,
    IPv4Address: show(4),
    IPv6Address: show(6),
  };
}
