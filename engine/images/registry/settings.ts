import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { EngineError } from "../../errors.ts";
import { parseSource } from "../sources/source.ts";

/** How registries are reached, where that is not what their name says. */
export interface RegistrySettings {
  /** host[:port] or an address range (CIDR) whose certificate is not checked and that may speak plain HTTP. */
  readonly insecure: readonly string[];
  /** host[:port] → base URLs that are asked first; "*" stands for every host without its own entry. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** Directories that hold HOST[:PORT]/{*.crt,*.cert,*.key}. */
  readonly certificates: readonly string[];
  /** Pattern of images' names → where they come from instead. @see sources/source.ts */
  readonly sources: Readonly<Record<string, string>>;
}

export const DEFAULT_SETTINGS: RegistrySettings = {
  insecure: [],
  mirrors: {},
  certificates: ["/etc/slipway/certs.d", "/etc/docker/certs.d"],
  sources: {},
};

/** What the daemon's command line says, with the same meaning as dockerd's options of these names. */
export interface RegistryOptions {
  /** JSON with the fields of RegistrySettings, all optional. Default: the machine's, if it is there. */
  readonly file?: string | undefined;
  /** Base URLs that are asked before Docker Hub. */
  readonly mirrors?: readonly string[];
  readonly insecure?: readonly string[];
}

const MACHINE_FILE = "/etc/slipway/registries.json";

/** @throws {EngineError} invalid for a file or a mirror that cannot be used */
export function readRegistrySettings(options: RegistryOptions = {}): RegistrySettings {
  const { file, mirrors = [], insecure = [] } = options;
  const read = file !== undefined || existsSync(MACHINE_FILE) ? readSettingsFile(file ?? MACHINE_FILE) : {};
  const hub = [...mirrors, ...(read.mirrors?.["docker.io"] ?? [])];
  const settings = {
    insecure: [...insecure, ...(read.insecure ?? [])],
    mirrors: { ...read.mirrors, ...(hub.length > 0 && { "docker.io": hub }) },
    certificates: read.certificates ?? DEFAULT_SETTINGS.certificates,
    sources: read.sources ?? {},
  };
  for (const url of Object.values(settings.mirrors).flat()) checkMirror(url);
  return settings;
}

function readSettingsFile(path: string): Partial<RegistrySettings> {
  let settings: Partial<RegistrySettings>;
  try {
    settings = JSON.parse(readFileSync(path, "utf8")) as Partial<RegistrySettings>;
  } catch (cause) {
    throw new EngineError("invalid", `${path} cannot be read as JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  const { insecure = [], mirrors = {}, certificates = [], sources = {}, ...others } = settings ?? {};
  for (const source of Object.values(sources)) parseSource(source);
  for (const [field, value] of Object.entries({ insecure, certificates, ...mirrors })) {
    if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) continue;
    throw new EngineError("invalid", `${path}: ${field} is no list of strings`);
  }
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new EngineError("invalid", `${path}: ${unknown} is no setting of registries`);
  return settings ?? {};
}

function checkMirror(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol))
    throw new EngineError("invalid", `invalid mirror: ${url} is no http:// or https:// URL`);
  if (parsed.search !== "" || parsed.hash !== "" || parsed.username !== "")
    throw new EngineError("invalid", `invalid mirror: ${parsed.origin} may have a path, and nothing more`);
}

/** Loopback is always taken as insecure, as Docker does: there is nobody in between. */
export function isInsecure(settings: RegistrySettings, host: string): boolean {
  const name = hostName(host);
  if (isLoopback(host)) return true;
  return settings.insecure.some((entry) => entry === host || entry === name || inRange(name, entry));
}

/** How a registry may be spoken to, the better way first. One whose authority is known is never spoken to in plain text. */
export function schemesOf(settings: RegistrySettings, host: string): ("https" | "http")[] {
  const mayBePlain = isInsecure(settings, host) && tlsFiles(settings, host).ca === undefined;
  return mayBePlain ? ["https", "http"] : ["https"];
}

export function isLoopback(host: string): boolean {
  const name = hostName(host);
  // A name such as 127.example is somebody's.
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
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

/**
 * A registry's own certificate authorities (*.crt) and a client certificate with its key (NAME.cert, NAME.key), as
 * Docker lays them out.
 */
export function tlsFiles(settings: RegistrySettings, host: string): TlsFiles {
  const directory = settings.certificates
    .map((parent) => join(parent, host))
    .find((path) => existsSync(path));
  if (directory === undefined) return {};
  const names = readdirSync(directory).sort();
  const ca = names.filter((name) => name.endsWith(".crt")).map((name) => readFileSync(join(directory, name)));
  const client = names.find((name) => name.endsWith(".cert"))?.slice(0, -".cert".length);
  if (client !== undefined && !names.includes(`${client}.key`))
    throw new EngineError("invalid", `missing key ${client}.key for client certificate ${client}.cert`);
  return {
    ...(ca.length > 0 && { ca }),
    ...(client !== undefined && {
      cert: readFileSync(join(directory, `${client}.cert`)),
      key: readFileSync(join(directory, `${client}.key`)),
    }),
  };
}

function tlsDirectory(settings: RegistrySettings, host: string): string | undefined {
  return settings.certificates.map((parent) => join(parent, host)).find((path) => existsSync(path));
}

/** Another text as soon as a file of `tlsFiles` is another one. */
export function tlsStamp(settings: RegistrySettings, host: string): string {
  const directory = tlsDirectory(settings, host);
  if (directory === undefined) return "";
  return readdirSync(directory)
    .map((name) => `${name} ${statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs}`)
    .join(" ");
}
