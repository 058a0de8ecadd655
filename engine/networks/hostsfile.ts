import { EngineError } from "../errors.ts";
import type { AttachmentRecord, NetworkOf } from "./attachment.ts";
import { isDefaultBridge } from "./create.ts";
import { addressOf, type Endpoint } from "./endpoint.ts";
import { formatHosts, type HostLine, machineHosts, ownNames, parseExtraHost } from "./hosts.ts";
import type { AttachRequest } from "./types.ts";

export interface HostsContext {
  readonly networkOf: NetworkOf;
  /** The machine's address on the default bridge: what `host-gateway` stands for. */
  readonly gateway: string;
  /** All attached containers, among them those that are linked. */
  readonly others: readonly AttachmentRecord[];
}

/**
 * What a container's /etc/hosts says: the user's own lines, links, and its own addresses.
 *
 * @throws {EngineError} invalid, if one of the user's lines cannot be read
 */
export function hostsFile(request: AttachRequest, record: AttachmentRecord, context: HostsContext): string {
  const extra = (request.extraHosts ?? []).map((text) => extraHost(text, context.gateway));
  const { endpoints } = record;
  const own = endpoints[0];
  if (own !== undefined && context.networkOf(own).Driver === "host") return machineHosts(extra);
  const links = (request.links ?? []).flatMap((link) => linkHosts(link, endpoints, context));
  const names = ownNames(request.hostname, request.domainname ?? "");
  const addresses = endpoints.flatMap((endpoint) => endpoint.addresses);
  return formatHosts([...extra, ...links, ...addresses.map(({ address }) => ({ address, names }))]);
}

function extraHost(text: string, gateway: string): HostLine {
  const line = parseExtraHost(text);
  if (line === undefined) {
    throw new EngineError("invalid", `bad format for add-host: ${JSON.stringify(text)}`);
  }
  return line.address === "host-gateway" ? { ...line, address: gateway } : line;
}

/** On the default bridge a link is a line in /etc/hosts; elsewhere the resolver knows it. */
function linkHosts(
  link: string,
  endpoints: readonly Endpoint[],
  { networkOf, others }: HostsContext,
): HostLine[] {
  const [target = "", alias = target] = link.replace(/^\//, "").split(":");
  const shared = endpoints.find((endpoint) => isDefaultBridge(networkOf(endpoint)));
  const other = others.find(({ id, name }) => id === target || name === target);
  const endpoint = other?.endpoints.find(({ networkId }) => networkId === shared?.networkId);
  const address = endpoint && addressOf(endpoint, 4)?.address;
  if (other === undefined || address === undefined) return [];
  return [{ address, names: [...new Set([alias.split("/").at(-1)!, other.hostname, other.name])] }];
}
