import { randomBytes } from "node:crypto";
import { EngineError } from "../errors.ts";
import { formatAddress, formatPrefix, overlaps, type Prefix, parsePrefix } from "./address.ts";
import { choosePool, localPool, type Pool, readPool } from "./ipam.ts";
import type { CreateNetwork, Ipam, IpamPool, NetworkDriver, NetworkRecord } from "./types.ts";

/** The networks that are always there. */
export const PREDEFINED: readonly { readonly name: string; readonly driver: NetworkDriver }[] = [
  { name: "bridge", driver: "bridge" },
  { name: "host", driver: "host" },
  { name: "none", driver: "null" },
];

export const BRIDGE_NAME = "com.docker.network.bridge.name";

/** What is already given away. */
export interface InUse {
  /** Of our networks. */
  readonly networks: readonly { readonly name: string; readonly subnet: Prefix }[];
  /** Of the machine: routes of its own. Only a subnet that we choose has to keep clear of them. */
  readonly machine: readonly Prefix[];
}

/**
 * Checks a request and fills in what it leaves open.
 *
 * @throws {EngineError} invalid, forbidden, in Docker's words
 */
export function describeNetwork(request: CreateNetwork, inUse: InUse): NetworkRecord {
  const name = request.Name ?? "";
  const driver = request.Driver || "bridge";
  if (driver !== "bridge") {
    if (driver === "host" || driver === "null") {
      throw new EngineError("forbidden", `only one instance of "${driver}" network is allowed`);
    }
    const known = ["macvlan", "ipvlan", "overlay"].includes(driver);
    const why = known ? "is not supported: there are bridge, host and none" : "not found";
    throw new EngineError(
      known ? "notImplemented" : "notFound",
      known ? `the ${driver} driver ${why}` : `plugin ${JSON.stringify(driver)} ${why}`,
    );
  }
  if (request.Ingress || request.ConfigOnly || request.Scope === "swarm") {
    throw new EngineError("notImplemented", "networks of a swarm are not supported");
  }
  const ipamDriver = request.IPAM?.Driver || "default";
  if (ipamDriver !== "default" && ipamDriver !== "null") {
    throw new EngineError("invalid", `plugin ${JSON.stringify(ipamDriver)} not found`);
  }
  const Id = randomBytes(32).toString("hex");
  const EnableIPv6 = request.EnableIPv6 ?? false;
  const options = request.Options ?? {};
  checkOptions(options);
  return {
    Name: name,
    Id,
    Created: now(),
    Driver: "bridge",
    EnableIPv6,
    IPAM: {
      Driver: ipamDriver,
      Options: request.IPAM?.Options ?? null,
      Config: settlePools(Id, EnableIPv6, request.IPAM?.Config ?? [], inUse),
    },
    Internal: request.Internal ?? false,
    Attachable: request.Attachable ?? false,
    Options: options,
    Labels: request.Labels ?? {},
    OwnSubnets: request.IPAM?.Config?.some(({ Subnet }) => Subnet) ?? false,
  };
}

/** One of the networks that are always there, as it is first made. */
export function predefinedNetwork(
  name: string,
  driver: NetworkDriver,
  device: string,
  inUse: InUse,
): NetworkRecord {
  const Id = randomBytes(32).toString("hex");
  const bridge = driver === "bridge";
  const ipam: Ipam = {
    Driver: "default",
    Options: null,
    Config: bridge ? settlePools(Id, false, [], inUse) : [],
  };
  const options = {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    [BRIDGE_NAME]: device,
    "com.docker.network.driver.mtu": "1500",
  };
  return {
    Name: name,
    Id,
    Created: now(),
    Driver: driver,
    EnableIPv6: false,
    IPAM: ipam,
    Internal: false,
    Attachable: false,
    Options: bridge ? options : {},
    Labels: {},
    OwnSubnets: false,
  };
}

/** The pools of a network, IPv4 first. */
export function poolsOf({ IPAM }: NetworkRecord): Pool[] {
  return IPAM.Config.map(readPool).sort((a, b) => a.subnet.family - b.subnet.family);
}

/** The name of the bridge's link. */
export function deviceOf({ Id, Options }: NetworkRecord): string {
  return Options[BRIDGE_NAME] || `br-${Id.slice(0, 12)}`;
}

export function isDefaultBridge({ Options }: NetworkRecord): boolean {
  return Options["com.docker.network.bridge.default_bridge"] === "true";
}

/** An option that is on unless it says otherwise. */
export function isOn({ Options }: NetworkRecord, option: "enable_icc" | "enable_ip_masquerade"): boolean {
  return !/^(false|0|f)$/i.test(Options[`com.docker.network.bridge.${option}`] ?? "true");
}

export function mtuOf({ Options }: NetworkRecord): number {
  return Number(Options["com.docker.network.driver.mtu"] || 1500);
}

/** @throws {EngineError} invalid or forbidden, in Docker's words */
export function checkName(name: string): void {
  if (name.trim() === "" || name.length > 255 || /\p{Cc}/u.test(name)) {
    throw new EngineError("invalid", `invalid name: ${name}`);
  }
  if (
    name === "default" ||
    name.startsWith("container:") ||
    PREDEFINED.some((network) => network.name === name)
  ) {
    throw new EngineError("forbidden", `operation is not permitted on predefined ${name} network`);
  }
}

function checkOptions(options: Readonly<Record<string, string>>): void {
  const device = options[BRIDGE_NAME];
  // The kernel's IFNAMSIZ is 16 with the NUL; "." and ".." would be directories of sysctl.
  if (device && (!/^[A-Za-z0-9_.-]{1,15}$/.test(device) || /^\.+$/.test(device))) {
    throw new EngineError("invalid", `invalid bridge name ${JSON.stringify(device)}`);
  }
  for (const key of ["enable_icc", "enable_ip_masquerade", "default_bridge"]) {
    const name = `com.docker.network.bridge.${key}`;
    const value = options[name];
    // As Go's strconv.ParseBool reads them.
    if (value && !/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
      const why = `failed to parse ${name} value: ${value} (strconv.ParseBool: parsing "${value}": invalid syntax)`;
      throw new EngineError("invalid", why);
    }
  }
  const prefix = options["com.docker.network.container_iface_prefix"];
  if (prefix && !/^[A-Za-z0-9_.-]{1,12}$/.test(prefix)) {
    throw new EngineError("invalid", `invalid prefix of interfaces ${JSON.stringify(prefix)}`);
  }
  const mtu = options["com.docker.network.driver.mtu"];
  if (mtu && !(/^\d+$/.test(mtu) && Number(mtu) >= 68 && Number(mtu) <= 65535)) {
    throw new EngineError("invalid", `invalid MTU ${JSON.stringify(mtu)}`);
  }
}

function settlePools(id: string, ipv6: boolean, given: readonly IpamPool[], inUse: InUse): IpamPool[] {
  const settled = given.filter(({ Subnet }) => Subnet);
  const subnets = settled.map((pool) => readPool(pool).subnet);
  if (given.some(({ Subnet, Gateway }) => !Subnet && Gateway)) {
    throw new EngineError("invalid", "invalid network config: every gateway must be with a subnet");
  }
  for (const family of [4, 6]) {
    if (subnets.filter((subnet) => subnet.family === family).length > 1) {
      throw new EngineError("invalid", "bridge driver doesn't support multiple subnets");
    }
  }
  for (const subnet of subnets) {
    const other = inUse.networks.find((one) => overlaps(one.subnet, subnet));
    if (other !== undefined) {
      throw new EngineError(
        "forbidden",
        `Pool overlaps with other one on this address space (network ${other.name}, ${formatPrefix(other.subnet)})`,
      );
    }
  }
  const has = (family: number): boolean => subnets.some((subnet) => subnet.family === family);
  const taken = [...inUse.networks.map(({ subnet }) => subnet), ...inUse.machine];
  return [
    ...settled,
    ...(has(4) ? [] : [describePool(choosePool(taken))]),
    ...(ipv6 && !has(6) ? [describePool(localPool(id))] : []),
  ];
}

function describePool({ subnet, gateway }: Pool): IpamPool & { Gateway: string } {
  return { Subnet: formatPrefix(subnet), Gateway: formatAddress(gateway) };
}

/** Reads the subnets of a network; of a record that an earlier version wrote, what can be read. */
export function subnetsOf({ IPAM }: NetworkRecord): Prefix[] {
  return IPAM.Config.flatMap(({ Subnet }) => parsePrefix(Subnet ?? "") ?? []);
}

/** RFC 3339 with nine digits. */
function now(): string {
  return new Date().toISOString().replace("Z", "000000Z");
}
