/** One running container on its networks: what is kept of it, and what it needs to be launched. Nothing here acts. */
import type { Op } from "../native/protocol.ts";
import { parseAddress } from "./address.ts";
import { addressOf, type Endpoint, endpointOps, endpointState, gatewaysOf } from "./endpoint.ts";
import { addForwards, type Forward, forgetConnections, redirectDns } from "./firewall.ts";
import { isAny, type PortRequest, type PublishedPort } from "./ports.ts";
import type { AttachRequest, EndpointState, NetworkRecord, PortMap } from "./types.ts";

/** Kept beneath the exec root while the container runs, so that a later daemon knows what it has. */
export interface AttachmentRecord {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  readonly sandboxId: string;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /** `80/tcp`; of all ports that are published or exposed. */
  readonly portKeys: readonly string[];
  /** What was asked for, should the networks change; records of before 2026-11 have none. */
  readonly requests?: readonly PortRequest[];
  readonly dns: ResolverRecord | undefined;
  /** What was asked for, should a resolver be needed later. */
  readonly resolver: ResolverRequest;
}

/** What a container wants of name service; see AttachRequest. */
export type ResolverRequest = Pick<AttachRequest, "dns" | "dnsSearch" | "dnsOptions" | "links" | "endpoints">;

export interface ResolverRecord {
  /** Where it listens, at 127.0.0.11 in the container. */
  readonly port: number;
  readonly servers: readonly string[];
  /** Names that this container alone knows, and whom they stand for. */
  readonly aliases: readonly { readonly name: string; readonly target: string }[];
}

export type NetworkOf = (endpoint: Endpoint) => NetworkRecord;

/** The endpoint that the default route goes through: the highest priority, then the first name; never an internal one. */
export function gatewayEndpoint(endpoints: readonly Endpoint[], networkOf: NetworkOf): Endpoint | undefined {
  return endpoints
    .filter((endpoint) => gatewaysOf(endpoint).length > 0)
    .toSorted((a, b) => {
      const priority = (b.request.GwPriority ?? 0) - (a.request.GwPriority ?? 0);
      return priority !== 0 ? priority : networkOf(a).Name < networkOf(b).Name ? -1 : 1;
    })[0];
}

/** The ports that the kernel forwards: all but those of loopback, which packets from elsewhere never have. */
export function forwardsOf({ endpoints, ports }: AttachmentRecord, networkOf: NetworkOf): Forward[] {
  const gateway = gatewayEndpoint(endpoints, networkOf);
  if (gateway === undefined) return [];
  return ports.flatMap(({ protocol, port, hostAddress, hostPort }) => {
    const family = hostAddress.includes(":") ? 6 : 4;
    const address = parseAddress(addressOf(gateway, family)?.address ?? "");
    if (address === undefined || isLoopback(hostAddress)) return [];
    const host = isAny(hostAddress) ? undefined : parseAddress(hostAddress);
    return [{ protocol, hostAddress: host, hostPort, address, port }];
  });
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

export interface LaunchTools {
  readonly networkOf: NetworkOf;
  /** The name of the engine's table; undefined: no nftables. */
  readonly table: string | undefined;
  /** The file of `resolverOf`. */
  readonly resolver: string;
  /** The kernel has IPv6, which networks without it must not let in. */
  readonly ipv6: boolean;
}

/** The operations of a launch, in their order. */
export function launchOps(record: AttachmentRecord, tools: LaunchTools): Op[] {
  const { endpoints, dns } = record;
  const gateway = gatewayEndpoint(endpoints, tools.networkOf);
  const withoutIpv6 = tools.ipv6 && !endpoints.some((endpoint) => addressOf(endpoint, 6) !== undefined);
  const ops: Op[] = [];
  // Before any link is there, which takes it over (CVE-2024-32473).
  if (withoutIpv6) ops.push({ op: "netSetting", path: "ipv6/conf/default/disable_ipv6", value: "1" });
  for (const endpoint of endpoints) {
    if (endpoint.host === "") continue;
    const role = { isGateway: endpoint === gateway, publishes: publishesAny(record) };
    ops.push(...endpointOps(endpoint, tools.networkOf(endpoint), role));
  }
  if (dns !== undefined) ops.push(...resolverOps(dns, tools));
  if (record.ports.length > 0) ops.push(...publishOps(record, tools));
  return ops;
}

/** Has published ports lead to the endpoint that the default route goes through; without one, nowhere. */
export function publishOps(
  record: AttachmentRecord,
  { networkOf, table }: Pick<LaunchTools, "networkOf" | "table">,
): Op[] {
  const ops: Op[] = [{ op: "forward", rules: forwardRules(record, networkOf) }];
  if (table === undefined) return ops;
  const forwards = forwardsOf(record, networkOf);
  for (const family of [4, 6] as const) {
    const some = forwards.filter(({ address }) => address.family === family);
    if (some.length > 0) ops.push({ op: "hostNetlink", ...addForwards(table, family, some) });
  }
  for (const batch of forgetConnections(forwards)) ops.push({ op: "hostNetlink", ...batch });
  return ops;
}

/** Starts the resolver in a container. */
export function resolverOps(
  { port }: ResolverRecord,
  { table, resolver }: Pick<LaunchTools, "table" | "resolver">,
): Op[] {
  if (table === undefined) return [{ op: "dns", path: resolver, port: 53 }];
  return [
    { op: "dns", path: resolver, port },
    { op: "containerNetlink", ...redirectDns(port) },
  ];
}

/** What the monitor listens on: all published ports, to hold them against others too. */
function forwardRules({ endpoints, ports }: AttachmentRecord, networkOf: NetworkOf): string {
  const gateway = gatewayEndpoint(endpoints, networkOf);
  if (gateway === undefined) return "";
  return ports
    .flatMap(({ protocol, port, hostAddress, hostPort }) => {
      const wanted = hostAddress.includes(":") ? 6 : 4;
      const target = (addressOf(gateway, wanted) ?? gateway.addresses[0])?.address;
      return protocol === "sctp" ? [] : `${protocol} ${hostAddress} ${hostPort} ${target} ${port}\n`;
    })
    .join("");
}

/** Whichever of its networks the ports lead to: the others' turn may come. */
export function publishesAny({ ports, requests = [] }: AttachmentRecord): boolean {
  return ports.length > 0 || requests.some(({ bindings }) => bindings.length > 0);
}

export function portMap({ endpoints, ports, portKeys }: AttachmentRecord, networkOf: NetworkOf): PortMap {
  if (gatewayEndpoint(endpoints, networkOf) === undefined) return {};
  return Object.fromEntries(
    portKeys.map((key) => {
      const bound = ports.filter(({ port, protocol }) => key === `${port}/${protocol}`);
      const bindings = bound.map(({ hostAddress, hostPort }) => ({
        HostIp: hostAddress,
        HostPort: String(hostPort),
      }));
      return [key, bindings.length > 0 ? bindings : null];
    }),
  );
}

export function endpointStates(
  { endpoints }: AttachmentRecord,
  networkOf: NetworkOf,
): Record<string, EndpointState> {
  return Object.fromEntries(endpoints.map((endpoint) => [networkOf(endpoint).Name, endpointState(endpoint)]));
}
