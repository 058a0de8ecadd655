/** Ports in their short form: `[[address:]published:]target[/protocol]`, each port also a range. */

export interface ShortPort {
  readonly host_ip?: string;
  readonly published?: string;
  readonly target: number;
  readonly protocol: string;
}

/** Why a text names no port. */
export class PortError extends Error {}

/**
 * Reads one text: a range on both sides becomes one port each.
 *
 * @throws {PortError}
 */
export function parsePort(text: string): ShortPort[] {
  const [ports, named, more] = text.split("/");
  const protocol = named || "tcp";
  if (more !== undefined || !/^(tcp|udp|sctp)$/i.test(protocol))
    throw new PortError(`"${protocol}" is no protocol; use tcp, udp or sctp`);
  const { address, published, target } = split(ports!);
  const inside = range(target, "the container's port");
  const outside =
    published === undefined || published === "" ? undefined : range(published, "the published port");
  const count = inside.end - inside.start + 1;
  const width = outside ? outside.end - outside.start + 1 : count;
  if (width !== count && count !== 1)
    throw new PortError(`${published} and ${target} are ranges of different length`);
  if (inside.start === 0) throw new PortError("the container's port must be at least 1");
  const base = { ...(address !== undefined && { host_ip: address }), protocol: protocol.toLowerCase() };
  const all = Array.from({ length: count }, (_, index) => {
    const port = { ...base, target: inside.start + index };
    if (!outside) return port;
    return {
      ...port,
      published: count === 1 && width > 1 ? `${outside.start}-${outside.end}` : String(outside.start + index),
    };
  });
  // In the order of docker compose, by text: a list of ports is compared as it stands.
  return all.sort((a, b) => (`${a.target}/` < `${b.target}/` ? -1 : 1));
}

function split(text: string): { address?: string; published?: string; target: string } {
  const bracketed = /^\[([^\]]*)\]:(?:([^:]*):)?([^:]*)$/.exec(text);
  if (bracketed)
    return {
      address: checkedAddress(bracketed[1]!),
      ...(bracketed[2] !== undefined && { published: bracketed[2] }),
      target: bracketed[3]!,
    };
  const parts = text.split(":");
  const target = parts.pop()!;
  const published = parts.pop();
  if (parts.length === 0) return published === undefined ? { target } : { published, target };
  const address = parts.join(":");
  if (parts.length > 1) throw new PortError(`an IPv6 address stands in brackets, such as [::1]:80:80`);
  return {
    ...(address !== "" && { address: checkedAddress(address) }),
    ...(published !== undefined && { published }),
    target,
  };
}

function checkedAddress(text: string): string {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const valid = four
    ? four.slice(1).every((part) => Number(part) < 256 && !/^0\d/.test(part))
    : text.includes(":") && /^[0-9a-fA-F:.]+$/.test(text);
  if (!valid) throw new PortError(`"${text}" is no IP address`);
  return text;
}

function range(text: string, what: string): { start: number; end: number } {
  if (text === "") throw new PortError(`${what} is missing`);
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const start = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  if (!match || start > 65535 || end > 65535)
    throw new PortError(`${what} must be a number up to 65535, or a range of two, not "${text}"`);
  if (end < start) throw new PortError(`the range ${text} goes backwards`);
  return { start, end };
}
