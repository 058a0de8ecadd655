import type { Endpoint } from "./endpoint.ts";
import type { AttachRequest, EndpointRequest, NetworkRecord } from "./types.ts";

export interface Wanted {
  readonly network: NetworkRecord;
  readonly settings: EndpointRequest;
}

/** The networks that a container asks for; the one of its mode comes first, as eth0. */
export function wantedNetworks(
  request: AttachRequest,
  findNetwork: (reference: string) => NetworkRecord,
): readonly Wanted[] {
  const find = (reference: string): NetworkRecord =>
    findNetwork(reference === "" || reference === "default" ? "bridge" : reference);
  const first = find(request.mode);
  const asked = Object.entries(request.endpoints ?? {});
  // A container may have been taken off the network that it was made for; off all, too.
  const alone = first.Driver === "host" || request.endpoints === undefined;
  const settings = new Map<NetworkRecord, EndpointRequest>(
    alone || (asked.length === 0 && first.Driver === "null") ? [[first, {}]] : [],
  );
  for (const [reference, one] of asked) settings.set(find(reference), one ?? {});
  const main = settings.get(first);
  if (request.macAddress && main !== undefined && !main.MacAddress) {
    settings.set(first, { ...main, MacAddress: request.macAddress });
  }
  return [...settings]
    .map(([network, one]) => ({ network, settings: one }))
    .sort(
      (a, b) =>
        Number(b.network === first) - Number(a.network === first) ||
        (a.network.Name < b.network.Name ? -1 : 1),
    );
}

/** The next name that no link of the container has. */
export function freeName(endpoints: readonly Endpoint[], { Options }: NetworkRecord): string {
  const prefix = Options["com.docker.network.container_iface_prefix"] || "eth";
  for (let number = 0; ; number++) {
    if (!endpoints.some(({ name }) => name === `${prefix}${number}`)) return `${prefix}${number}`;
  }
}
