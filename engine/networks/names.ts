/**
 * Who is called what on a network, as the files that the monitors read at each question. One file a network holds its
 * names; one file a container says which networks it is on and who is asked about other names. Files are replaced by
 * rename. @see native/dnsnames.h
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "./scratch.ts";

/** One endpoint's names, in any case. */
export interface NamedEndpoint {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  /** What the addresses are called. */
  readonly reverse: string;
}

/** What one container's resolver needs. */
export interface ResolverView {
  /** Ids of its networks, the ones asked first in front. */
  readonly networks: readonly string[];
  /** Names that it alone knows (links), and whom they stand for. */
  readonly aliases: readonly { readonly name: string; readonly target: string }[];
  /** Who is asked about other names; nobody on internal networks. */
  readonly servers: readonly string[];
}

/** Its files are small and beneath the exec root, which is in memory: written at once, as a thread's round trip costs more. */
export class Names {
  readonly #directory: string;

  /** @param directory beneath the exec root: it need not outlive a reboot */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(join(directory, "containers"), { recursive: true, mode: 0o700 });
  }

  tableOf(networkId: string): string {
    return join(this.#directory, networkId, "names");
  }

  resolverOf(containerId: string): string {
    return join(this.#directory, "containers", containerId);
  }

  writeTable(networkId: string, endpoints: readonly NamedEndpoint[]): void {
    mkdirSync(join(this.#directory, networkId), { recursive: true, mode: 0o700 });
    replaceFile(this.tableOf(networkId), formatTable(endpoints));
  }

  writeResolver(containerId: string, view: ResolverView): void {
    const tables = view.networks.map((id) => this.tableOf(id));
    replaceFile(this.resolverOf(containerId), formatResolver(view, tables));
  }

  removeTable(networkId: string): void {
    rmSync(join(this.#directory, networkId), { recursive: true, force: true });
  }

  removeResolver(containerId: string): void {
    rmSync(this.resolverOf(containerId), { force: true });
  }
}

export function formatTable(endpoints: readonly NamedEndpoint[]): string {
  const lines = endpoints.flatMap(({ names, addresses, reverse }) => [
    ...names
      .filter(isName)
      .flatMap((name) => addresses.map((address) => `name ${name.toLowerCase()} ${address}\n`)),
    ...(isName(reverse) ? addresses.map((address) => `ptr ${address} ${reverse}\n`) : []),
  ]);
  return [...new Set(lines)].sort().join("");
}

export function formatResolver({ aliases, servers }: ResolverView, tables: readonly string[]): string {
  return [
    ...aliases
      .filter(({ name, target }) => isName(name) && isName(target))
      .map(({ name, target }) => `alias ${name.toLowerCase()} ${target.toLowerCase()}\n`),
    ...tables.map((table) => `table ${table}\n`),
    ...servers.map((server) => `server ${server}\n`),
  ].join("");
}

/** A word of the file, and something a DNS message can carry. Other names simply do not resolve. */
function isName(name: string): boolean {
  return (
    /^[!-~]{1,250}$/.test(name) && name.split(".").every((label) => label.length > 0 && label.length < 64)
  );
}
