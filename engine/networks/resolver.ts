/** Where a container asks for names: the engine's resolver beside it, or the machine's own servers. */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ResolverRecord, ResolverRequest } from "./attachment.ts";
import { isDefaultBridge } from "./create.ts";
import { isLoopback, parseResolvConf, type ResolvConf } from "./hosts.ts";
import type { AttachRequest, NetworkDriver, NetworkRecord } from "./types.ts";

const RESOLVER = "127.0.0.11";
/** Docker's, where a machine names no server that a container could reach. */
const PUBLIC = ["8.8.8.8", "8.8.4.4"];
/** The resolver of slirp4netns. */
const SLIRP = "10.0.2.3";
const ETC = "/etc/resolv.conf";
/** What stands behind systemd-resolved's stub at 127.0.0.53. */
const RESOLVED = "/run/systemd/resolve/resolv.conf";

/** The part of a request that is kept. */
export function resolverRequest({
  dns = [],
  dnsSearch = [],
  dnsOptions = [],
  links = [],
}: AttachRequest): ResolverRequest {
  return { dns, dnsSearch, dnsOptions, links };
}

/** The resolver of a container on a network of the user's; on the others there is none. */
export function resolverFor(
  request: ResolverRequest,
  networks: readonly NetworkRecord[],
  rootless: boolean,
): ResolverRecord | undefined {
  const own = networks.filter((network) => network.Driver === "bridge" && !isDefaultBridge(network));
  if (own.length === 0) return undefined;
  const given = request.dns?.length ? request.dns : machineConf(rootless).servers;
  const links = [
    ...(request.links ?? []),
    ...Object.values(request.endpoints ?? {}).flatMap((endpoint) => endpoint?.Links ?? []),
  ];
  return {
    port: randomInt(32768, 61000),
    servers: given.length > 0 ? given : PUBLIC,
    aliases: aliasesOf(links),
  };
}

/** `container:alias` makes another word for the container. */
export function aliasesOf(links: readonly string[]): ResolverRecord["aliases"] {
  return links.map((link) => {
    const [target = "", name = target] = link.replace(/^\//, "").split(":");
    return { name, target };
  });
}

/** What /etc/resolv.conf says in a container. */
export function hostResolver(
  request: ResolverRequest,
  driver: NetworkDriver,
  hasResolver: boolean,
  rootless: boolean,
): ResolvConf {
  const machine = machineConf(rootless);
  const search = request.dnsSearch?.length
    ? request.dnsSearch.filter((domain) => domain !== ".")
    : machine.search;
  const options = request.dnsOptions?.length ? request.dnsOptions : machine.options;
  if (hasResolver) {
    const all = options.some((option) => option.startsWith("ndots:")) ? options : [...options, "ndots:0"];
    return { servers: [RESOLVER], search, options: all };
  }
  if (request.dns?.length) return { servers: request.dns, search, options };
  if (driver !== "bridge") return { servers: machine.servers, search, options };
  const reachable = machine.servers.filter((server) => !isLoopback(server));
  return { servers: reachable.length > 0 ? reachable : PUBLIC, search, options };
}

/**
 * Read anew each time, as the machine may have moved to another network; a file this small is read before a thread would
 * begin. A rootless engine cannot reach the machine's loopback, and asks slirp4netns, which does.
 */
function machineConf(rootless: boolean): ResolvConf {
  const conf = read(ETC);
  const behind =
    conf.servers.length > 0 && conf.servers.every((server) => server === "127.0.0.53")
      ? read(RESOLVED)
      : conf;
  const { servers, search, options } = behind.servers.length > 0 ? behind : conf;
  const reachable = rootless ? servers.map((server) => (isLoopback(server) ? SLIRP : server)) : servers;
  return { servers: [...new Set(reachable)], search, options };
}

function read(path: string): ResolvConf {
  try {
    return parseResolvConf(readFileSync(path, "utf8"));
  } catch {
    return { servers: [], search: [], options: [] };
  }
}
