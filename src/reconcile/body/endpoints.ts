import type { EndpointSettings, EndpointsConfig } from "dockerode";
import { networksOf } from "../definition.ts";
import { containerName } from "../names.ts";
import type { BodyInput } from "./body.ts";

/**
 * How a container is connected: by network name, the primary one first. Every network knows it by its container's
 * name, its service and the aliases of the file.
 */
export function endpoints({ project, service, name }: BodyInput): EndpointsConfig {
  const keys = new Map(Object.keys(project.networks).map((key) => [project.networks[key]!.name, key]));
  const names = networksOf(project, service);
  return Object.fromEntries(
    names.map((network, index): [string, EndpointSettings] => {
      const given = service.networks?.[keys.get(network) ?? network] ?? {};
      const { ipv4_address, ipv6_address, link_local_ips, mac_address, driver_opts, aliases, gw_priority } =
        given;
      const mac = mac_address ?? (index === 0 ? service.mac_address : undefined);
      const fixed = ipv4_address ?? ipv6_address ?? link_local_ips;
      return [
        network,
        {
          Aliases: [...new Set([name, service.name, ...(aliases ?? [])])],
          ...(fixed !== undefined && {
            IPAMConfig: {
              ...(ipv4_address && { IPv4Address: ipv4_address }),
              ...(ipv6_address && { IPv6Address: ipv6_address }),
              ...(link_local_ips && { LinkLocalIPs: [...link_local_ips] }),
            },
          }),
          ...(mac && { MacAddress: mac }),
          ...(driver_opts && { DriverOpts: { ...driver_opts } }),
          ...(gw_priority !== undefined && { GwPriority: gw_priority }),
          ...linksOf(project, service),
        },
      ];
    }),
  );
}

function linksOf(project: BodyInput["project"], service: BodyInput["service"]): { Links?: string[] } {
  const own = (service.links ?? []).map((link) => {
    const [target, alias] = link.split(":") as [string, string?];
    return `${containerName(project, target, 1)}:${alias ?? target}`;
  });
  const links = [...own, ...(service.external_links ?? [])];
  return links.length > 0 ? { Links: links } : {};
}
