import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { EngineError } from "../../errors.ts";

/** How registries are reached, where that is not what their name says. */
export interface RegistrySettings {
  /** host[:port] or an address range (CIDR) whose certificate is not checked and that may speak plain HTTP. */
  readonly insecure: readonly string[];
  /** host[:port] → base URLs that are asked first; "*" stands for every host without its own entry. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** Directories that hold HOST[:PORT]/{ca.crt,*.crt,client.cert,client.key}. */
  readonly certificates: readonly string[];
}

export const DEFAULT_SETTINGS: RegistrySettings = {
  insecure: [],
  mirrors: {},
  certificates: ["/etc/slipway/certs.d", "/etc/docker/certs.d"],
};

/**
 * Reads the settings' file.
 *
 * @param path JSON with the fields of RegistrySettings, all optional; where there is none, nothing is special
 * @throws {EngineError} invalid
 */
export function readRegistrySettings(path = "/etc/slipway/registries.json"): RegistrySettings {
  if (!existsSync(path)) return DEFAULT_SETTINGS;
  try {
    return { ...DEFAULT_SETTINGS, ...(JSON.parse(readFileSync(path, "utf8")) as Partial<RegistrySettings>) };
  } catch (cause) {
    throw new EngineError("invalid", `${path} is no JSON`, { cause });
  }
}

/** Loopback is always taken as insecure, as Docker does: there is nobody in between. */
export function isInsecure(settings: RegistrySettings, host: string): boolean {
  const name = hostName(host);
  if (isLoopback(host)) return true;
  return settings.insecure.some((entry) => entry === host || entry === name || inRange(name, entry));
}

export function isLoopback(host: string): boolean {
  const name = hostName(host);
  return name === "localhost" || name === "::1" || /^127\./.test(name);
}

/** Without the port and the brackets of an IPv6 address. */
function hostName(host: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d+$/, "");
}

function inRange(address: string, cidr: string): boolean {
  const [base = "", bits] = cidr.split("/");
  if (bits === undefined || isIP(address) !== 4 || isIP(base) !== 4) return false;
  const shift = 32 - Number(bits);
  return shift >= 32 || ipv4(address) >>> shift === ipv4(base) >>> shift;
}

function ipv4(address: string): number {
  return address.split(".").reduce((sum, part) => (sum << 8) | Number(part), 0) >>> 0;
}

export interface TlsFiles {
  readonly ca?: readonly Buffer[];
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** A registry's own certificate authority and client certificate, as Docker lays them out. */
export function tlsFiles(settings: RegistrySettings, host: string): TlsFiles {
  for (const directory of settings.certificates) {
    const of = (name: string): Buffer | undefined => {
      const path = join(directory, host, name);
      return existsSync(path) ? readFileSync(path) : undefined;
    };
    const ca = of("ca.crt");
    const [cert, key] = [of("client.cert"), of("client.key")];
    if (ca === undefined && cert === undefined) continue;
    return { ...(ca && { ca: [ca] }), ...(cert && key && { cert, key }) };
  }
  return {};
}
