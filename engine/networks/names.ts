/**
 * Who is called what on a network, as the files that the monitors read at each question. One file a network holds its
 * names; one file a container says which networks it is on and who is asked about other names. Files are replaced by
 * rename. @see native/dnsnames.h
 */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Serial } from "../store/serial.ts";

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

export class Names {
  readonly #directory: string;
  readonly #writes = new Serial();

  /** @param directory beneath the exec root: it need not outlive a reboot */
  constructor(directory: string) {
    this.#directory = directory;
  }

  tableOf(networkId: string): string {
    return join(this.#directory, networkId, "names");
  }

  resolverOf(containerId: string): string {
    return join(this.#directory, "containers", containerId);
  }

  async writeTable(networkId: string, endpoints: readonly NamedEndpoint[]): Promise<void> {
    await this.#write(this.tableOf(networkId), formatTable(endpoints));
  }

  async writeResolver(containerId: string, view: ResolverView): Promise<void> {
    const tables = view.networks.map((id) => this.tableOf(id));
    await this.#write(this.resolverOf(containerId), formatResolver(view, tables));
  }

  async removeTable(networkId: string): Promise<void> {
    await this.#writes.run(this.tableOf(networkId), () =>
      rm(join(this.#directory, networkId), { recursive: true, force: true }),
    );
  }

  async removeResolver(containerId: string): Promise<void> {
    const path = this.resolverOf(containerId);
    await this.#writes.run(path, () => rm(path, { force: true }));
  }

  /** Not synced: after a reboot there is nobody to ask. */
  async #write(path: string, content: string): Promise<void> {
    await this.#writes.run(path, async () => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(`${path}.new`, content, { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
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
