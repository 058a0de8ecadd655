/** The contents of a container's /etc/hosts and /etc/resolv.conf, as Docker writes them. */
import { readFileSync } from "node:fs";

const LOCAL = [
  ["127.0.0.1", "localhost"],
  ["::1", "localhost ip6-localhost ip6-loopback"],
  ["fe00::0", "ip6-localnet"],
  ["ff00::0", "ip6-mcastprefix"],
  ["ff02::1", "ip6-allnodes"],
  ["ff02::2", "ip6-allrouters"],
] as const;

export interface HostLine {
  readonly address: string;
  readonly names: readonly string[];
}

/** @param lines the user's own, then links, then the container's */
export function formatHosts(lines: readonly HostLine[]): string {
  return `${LOCAL.map(([address, names]) => `${address}\t${names}\n`).join("")}${lines.map(formatLine).join("")}`;
}

/** A name with a blank or a line's end in it, such as another container's host name, must not become further names. */
function formatLine({ address, names }: HostLine): string {
  const words = names.filter((name) => /^[^\s#]+$/.test(name));
  return words.length === 0 || !/^\S+$/.test(address) ? "" : `${address}\t${words.join(" ")}\n`;
}

/** Of a container in the machine's own network: what the machine's file says, and the user's own lines. */
export function machineHosts(extra: readonly HostLine[]): string {
  let text = "";
  try {
    text = readFileSync("/etc/hosts", "utf8");
  } catch {
    text = formatHosts([]);
  }
  return `${text.replace(/\n?$/, "\n")}${extra.map(formatLine).join("")}`;
}

/** `name` and, before it, the full name where there is a domain. */
export function ownNames(hostname: string, domainname: string): string[] {
  return domainname === "" ? [hostname] : [`${hostname}.${domainname}`, hostname];
}

/** Reads `name:address`; an IPv6 address may stand in brackets, `=` may stand for the first colon. */
export function parseExtraHost(text: string): HostLine | undefined {
  const found = /^([^:=\s]+)[:=](\S+)$/.exec(text);
  if (found === null) return undefined;
  const [, name = "", address = ""] = found;
  return { address: address.replace(/^\[(.*)\]$/, "$1"), names: [name] };
}

export interface ResolvConf {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** @see resolv.conf(5): a later `search` or `domain` replaces an earlier one, options add up */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  const options: string[] = [];
  let search: readonly string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && words[0] !== undefined) servers.push(words[0]);
    if (keyword === "search" || keyword === "domain") search = words;
    if (keyword === "options") options.push(...words);
  }
  return { servers, search, options };
}

export function formatResolvConf({ servers, search, options }: ResolvConf): string {
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    search.length > 0 ? `search ${search.join(" ")}\n` : "",
    options.length > 0 ? `options ${options.join(" ")}\n` : "",
  ].join("");
}

/** A server on the machine's loopback is out of a container's own reach. */
export function isLoopback(address: string): boolean {
  return /^127\./.test(address) || address === "::1";
}
