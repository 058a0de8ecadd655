/**
 * What networks need of the machine, in the network namespace that the engine runs in: bridges, the engine's nftables
 * table, ip_forward. Each is there only while a network needs it, and what changes a setting of the machine is logged.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import type { Log } from "../log.ts";
import { Connection, connectPath, NativeError } from "../native/connection.ts";
import { encodeRequest, jobKind, type NetlinkBatch, type Op } from "../native/protocol.ts";
import type { Spawner } from "../native/spawner.ts";
import type { Paths } from "../store/paths.ts";
import { Serial } from "../store/serial.ts";
import { type Family, type Prefix, parseAddress, prefixOf } from "./address.ts";
import {
  addZones,
  createTable,
  type Forward,
  findDocker,
  findTable,
  removeForwards,
  removeTable,
  replaceTable,
  type Zone,
} from "./firewall.ts";
import { checkBridge, createBridge, deleteLink, type Interface } from "./links.ts";

export interface MachineOptions {
  readonly paths: Pick<Paths, "runContainer">;
  readonly spawner: Pick<Spawner, "request">;
  readonly log: Log;
  /** Of the nftables table; engines that share a network namespace have each their own. */
  readonly table: string;
  /** Where it is noted what has to be set back; beneath the exec root. */
  readonly directory: string;
}

/** What the rules are made of. */
export interface RulesState {
  readonly zones: readonly Zone[];
  readonly forwards: readonly Forward[];
}

export interface Bridge {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly Interface[];
}

const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";
const IPV6_FORWARD = "/proc/sys/net/ipv6/conf/all/forwarding";

export class Machine {
  readonly #options: MachineOptions;
  readonly #serial = new Serial();
  #nftables: Promise<boolean> | undefined;
  /** The bridges that the table knows; absent until this process has made it, or when that failed. */
  readonly #zones = new Map<Family, ReadonlySet<string>>();

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get table(): string {
    return this.#options.table;
  }

  /** Whether the kernel has nftables; without it the monitors forward published ports. */
  hasNftables(): Promise<boolean> {
    this.#nftables ??= this.#has(`${this.table}_probe`, 4).then(
      () => true,
      (error: Error) => {
        const effect =
          "containers cannot reach other machines, published ports are forwarded by the monitors";
        this.#options.log.warn(`no nftables: ${effect}`, { reason: error.message });
        return false;
      },
    );
    return this.#nftables;
  }

  /**
   * Makes a bridge that is not there. One that is, made by somebody else, is used as it is and never removed.
   *
   * @throws {EngineError} invalid, if there is a link of that name which is no bridge
   */
  async bridge(bridge: Bridge): Promise<void> {
    await this.#serial.run(bridge.name, async () => {
      if ((await linkNames()).has(bridge.name)) {
        await this.#run([checkBridge(bridge.name)]).catch((cause: unknown) => {
          throw new EngineError("invalid", `a link named ${bridge.name} exists, and it is not a bridge`, {
            cause,
          });
        });
        return;
      }
      // Noted first: a daemon that is killed in between must not leave a bridge that nobody knows.
      await mkdir(this.#devices, { recursive: true, mode: 0o700 });
      await writeFile(join(this.#devices, bridge.name), "");
      await this.#run(createBridge(bridge.name, bridge.mac, bridge.mtu, bridge.addresses));
      // A container could otherwise become the machine's router by an advertisement (CVE-2020-13401).
      await tryWrite(`/proc/sys/net/ipv6/conf/${bridge.name}/accept_ra`, "0");
      if (!bridge.addresses.some(({ address }) => address.family === 6)) {
        await tryWrite(`/proc/sys/net/ipv6/conf/${bridge.name}/disable_ipv6`, "1");
      }
    });
  }

  /** Removes a bridge that this engine made. */
  async removeBridge(name: string): Promise<void> {
    await this.#serial.run(name, async () => {
      const note = join(this.#devices, name);
      if (!existsSync(note)) return;
      await this.#run([deleteLink(name)]);
      await rm(note, { force: true });
    });
  }

  /** Removes the bridges of networks that are gone: of a daemon that was killed while it removed them. */
  async removeOtherBridges(known: ReadonlySet<string>): Promise<void> {
    const noted = await readdir(this.#devices).catch(() => []);
    await Promise.all(noted.filter((name) => !known.has(name)).map((name) => this.removeBridge(name)));
  }

  get #devices(): string {
    return join(this.#options.directory, "devices");
  }

  /**
   * Makes the rules what `state` says when their turn has come, so that the newest wins.
   *
   * A launch that adds its own ports waits with `settled` first: a replacement under way may not know of them.
   */
  async rules(family: Family, state: () => RulesState): Promise<void> {
    if (await this.hasNftables()) await this.#serial.run("rules", () => this.#makeRules(family, state()));
  }

  /** Puts the rules back that somebody else took away (`nft flush ruleset`). */
  async verify(family: Family, state: () => RulesState): Promise<void> {
    if (!(await this.hasNftables()) || !this.#zones.has(family) || (await this.#has(this.table, family)))
      return;
    await this.#serial.run("rules", async () => {
      // Somebody else may have found it out meanwhile, or the last network may have gone.
      if (!this.#zones.has(family) || (await this.#has(this.table, family))) return;
      this.#options.log.warn("the engine's nftables table was gone; it is put back", { table: this.table });
      this.#zones.delete(family);
      await this.#makeRules(family, state());
    });
  }

  async #makeRules(family: Family, { zones, forwards }: RulesState): Promise<void> {
    const { table } = this;
    const known = this.#zones.get(family);
    const wanted = new Map(zones.map((zone) => [zone.bridge, zone]));
    const added = zones.filter(({ bridge }) => !known?.has(bridge));
    const grows = known !== undefined && [...known].every((bridge) => wanted.has(bridge));
    if (grows && added.length === 0) return;
    this.#zones.delete(family);
    if (zones.length === 0 && forwards.length === 0) {
      await this.#run([removeTable(table, family)]);
      return;
    }
    if (grows) await this.#run([addZones(table, family, added)]);
    else if (await this.#has(table, family)) await this.#run([replaceTable(table, family, zones, forwards)]);
    else await this.#run([createTable(table, family, zones, forwards)]);
    this.#zones.set(family, new Set(wanted.keys()));
  }

  /** Whether a Docker engine filters here too. Its policy may drop what our containers send out and get back. */
  async hasDockerFirewall(): Promise<boolean> {
    return (await this.hasNftables()) && this.#finds(findDocker());
  }

  /** Whether there is such a table. @throws if the kernel has no nftables */
  #has(table: string, family: Family): Promise<boolean> {
    return this.#finds(findTable(table, family));
  }

  async #finds(question: NetlinkBatch): Promise<boolean> {
    try {
      await this.#run([question]);
      return true;
    } catch (error) {
      if (error instanceof NativeError && error.code === "ENOENT") return false;
      throw error;
    }
  }

  /** Resolves when no replacement of the rules is under way. */
  async settled(): Promise<void> {
    if (this.#serial.busy("rules")) await this.#serial.run("rules", async () => {});
  }

  /**
   * Takes published ports away. To forget them takes the kernel some 15 ms, for which nobody else is held up; but a
   * replacement of the rules that is under way may have known of them, and must be over.
   */
  async unpublish(family: Family, forwards: readonly Forward[]): Promise<void> {
    if (forwards.length === 0 || !(await this.hasNftables())) return;
    await this.settled();
    await this.#run(removeForwards(this.table, family, forwards));
  }

  /** Has the monitor of a running container do operations of the network. */
  async besideContainer(id: string, ops: readonly Op[]): Promise<void> {
    const socket = await connectPath(join(this.#options.paths.runContainer(id), "monitor.sock"));
    const { connection } = await Connection.open(socket, encodeRequest(jobKind.plug, ops));
    connection.close();
  }

  /** Lets packets pass from a bridge to the outside. */
  async forwarding(family: Family): Promise<void> {
    const path = family === 4 ? IP_FORWARD : IPV6_FORWARD;
    await this.#serial.run(path, async () => {
      if ((await readFile(path, "utf8")).trim() !== "0") return;
      await writeFile(this.#note(family), "0\n");
      await writeFile(path, "1");
      this.#options.log.info("switched on IP forwarding in this network namespace", { setting: path });
    });
  }

  /** No network needs it any more: the setting that `forwarding` changed is set back. */
  async endForwarding(family: Family): Promise<void> {
    const path = family === 4 ? IP_FORWARD : IPV6_FORWARD;
    await this.#serial.run(path, async () => {
      const before = await readFile(this.#note(family), "utf8").catch(() => undefined);
      if (before === undefined) return;
      await writeFile(path, before);
      await rm(this.#note(family), { force: true });
      this.#options.log.info("switched off IP forwarding in this network namespace", { setting: path });
    });
  }

  #note(family: Family): string {
    return join(this.#options.directory, `ipv${family}-forwarding`);
  }

  async #run(batches: readonly NetlinkBatch[]): Promise<void> {
    const ops = batches.map((batch) => ({ op: "hostNetlink", ...batch }) as const);
    await this.#options.spawner.request(jobKind.network, ops);
  }
}

/** Engines that share a network namespace keep apart what they make in it: all but the usual one carry a mark. */
export function markOf(execRoot: string): string {
  return execRoot === "/run/slipway"
    ? ""
    : `_${createHash("sha256").update(execRoot).digest("hex").slice(0, 6)}`;
}

/** All links of the network namespace. Node's own list leaves out those without carrier. */
async function linkNames(): Promise<ReadonlySet<string>> {
  const lines = (await readFile("/proc/net/dev", "utf8")).split("\n").slice(2);
  return new Set(lines.map((line) => line.slice(0, line.indexOf(":")).trim()));
}

/** Where the machine itself sends packets: subnets that no network may take. */
export async function machineSubnets(): Promise<Prefix[]> {
  const lines = (await readFile("/proc/net/route", "utf8").catch(() => "")).trim().split("\n").slice(1);
  const found: Prefix[] = [];
  for (const line of lines) {
    const [, destination = "", , , , , , mask = ""] = line.split("\t");
    const base = Buffer.from(destination, "hex").reverse().join(".");
    const address = parseAddress(base);
    const bits = Buffer.from(mask, "hex").reverse().readUInt32BE().toString(2).replace(/0+$/, "").length;
    // The default route is everywhere, and in nobody's way.
    if (address !== undefined && bits > 0 && mask !== "00000000") found.push(prefixOf(address, bits));
  }
  return found;
}

/** Whether the machine speaks IPv6 at all. */
export async function hasIpv6(): Promise<boolean> {
  return (await readFile("/proc/net/if_inet6", "utf8").catch(() => "")).trim() !== "";
}

/** A kernel without IPv6 does not have the file. */
async function tryWrite(path: string, value: string): Promise<void> {
  await writeFile(path, value).catch(() => {});
}
