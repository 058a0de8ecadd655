import { isIP } from "node:net";
import { DockerfileError } from "./position.ts";
import { quote } from "./text.ts";

/**
 * The ports that one word of EXPOSE names, as `port/protocol`.
 *
 * @throws {DockerfileError} in the words of Docker's nat package
 */
export function parsePorts(word: string): string[] {
  const slash = word.indexOf("/");
  const protocol = slash < 0 ? "tcp" : word.slice(slash + 1).toLowerCase() || "tcp";
  const address = slash < 0 ? word : word.slice(0, slash);
  if (address === "") throw new DockerfileError(`invalid port: ${quote(word)}: no port specified`);
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") {
    throw new DockerfileError(`invalid port: ${quote(word)}: invalid proto: ${word.slice(slash + 1)}`);
  }
  const parts = address.split(":");
  const container = parts.pop()!;
  const host = parts.pop() ?? "";
  const ip = parts.join(":").replace(/^\[(.*)\]$/, "$1");
  if (ip !== "" && isIP(ip) === 0) throw new DockerfileError(`invalid IP address: ${ip}`);
  const ports = rangeOf(container, "containerPort");
  if (host !== "") {
    const hosts = rangeOf(host, "hostPort");
    const [width, hostWidth] = [ports[1] - ports[0], hosts[1] - hosts[0]];
    // One container port may have a range of host ports to choose from.
    if (width !== hostWidth && width !== 0) {
      throw new DockerfileError(
        `invalid ranges specified for container and host Ports: ${container} and ${host}`,
      );
    }
  }
  return Array.from({ length: ports[1] - ports[0] + 1 }, (_, index) => `${ports[0] + index}/${protocol}`);
}

/** What the linter says of one word of EXPOSE. */
export function exposeFindings(word: string): { readonly format: boolean; readonly casing: boolean } {
  const protocol = word.split("/")[1] ?? "";
  return { format: word.includes(":"), casing: protocol !== protocol.toLowerCase() };
}

function rangeOf(text: string, what: string): readonly [first: number, last: number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first > 65535 || last > 65535 || last < first)
    throw new DockerfileError(`invalid ${what}: ${text}`);
  return [first, last];
}
