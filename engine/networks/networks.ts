/**
 * Networks: bridges that containers are plugged into, names by which they find each other, and ports by which the
 * outside finds them. Records of networks are kept with the data; who is plugged in is kept beneath the exec root, as it
 * ends with the machine. Nothing that a running container needs depends on this process.
 */
import { join } from "node:path";
import { EngineError, messageOf } from "../errors.ts";
import type { Events } from "../events.ts";
import type { Filters } from "../filters.ts";
import type { Log } from "../log.ts";
import type { Spawner } from "../native/spawner.ts";
import type { Paths } from "../store/paths.ts";
import { Records } from "../store/records.ts";
import { Serial } from "../store/serial.ts";
import type { AttachmentRecord } from "./attachment.ts";
import { checkNetworks, type NetworkCheck } from "./checks.ts";
import {
  checkName,
  describeNetwork,
  deviceOf,
  type InUse,
  PREDEFINED,
  predefinedNetwork,
  subnetsOf,
} from "./create.ts";
import { checkEndpointRequest, networkContainer } from "./endpoint.ts";
import { Fabric } from "./fabric.ts";
import { hasIpv6, Machine, machineSubnets, markOf } from "./machine.ts";
import { Names } from "./names.ts";
import { Plugs, type Running } from "./plugs.ts";
import { probeOutside, probePort } from "./portprobe.ts";
import { Ports } from "./ports.ts";
import { Scratch } from "./scratch.ts";
import { resolveNetwork, selectNetworks } from "./select.ts";
import type {
  Attachment,
  AttachRequest,
  CreateNetwork,
  EndpointRequest,
  LiveAttachment,
  NetworkContainer,
  NetworkRecord,
} from "./types.ts";

export interface NetworksOptions {
  readonly paths: Paths;
  readonly events: Events;
  readonly log: Log;
  readonly spawner: Pick<Spawner, "request">;
  /** The device of the network `bridge`. */
  readonly defaultBridge?: string;
  /** Of a rootless engine: the socket of its process in the machine's own network. */
  readonly outside?: string | undefined;
}

export class Networks {
  readonly #options: NetworksOptions;
  readonly #records: Records<NetworkRecord>;
  readonly #attachments: Scratch<AttachmentRecord>;
  readonly #machine: Machine;
  readonly #names: Names;
  readonly #ports: Ports;
  readonly #fabric: Fabric;
  readonly #plugs: Plugs;
  readonly #serial = new Serial();
  /** What goes on after its caller was answered. */
  readonly #background = new Set<Promise<void>>();

  private constructor(options: NetworksOptions, records: Records<NetworkRecord>, ipv6: boolean) {
    const directory = join(options.paths.run, "networks");
    this.#options = options;
    this.#records = records;
    this.#attachments = new Scratch(join(directory, "attachments"), unreadable(options.log));
    this.#machine = new Machine({ ...options, directory, table: `slipway${markOf(options.paths.run)}` });
    this.#names = new Names(directory);
    const probe = options.outside === undefined ? probePort : probeOutside(options.outside);
    this.#ports = new Ports(ipv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"], probe);
    this.#fabric = new Fabric(this.#machine, () => this.#plugs.forwards());
    this.#plugs = new Plugs({
      fabric: this.#fabric,
      machine: this.#machine,
      names: this.#names,
      ports: this.#ports,
      records: this.#attachments,
      network: (id) => records.get(id),
      find: (reference) => this.get(reference),
      ipv6,
      rootless: options.outside !== undefined,
      tell: (action, network, container) => this.#emit(action, network, { container }),
      later: (work) => this.#later(work),
    });
  }

  static async open(options: NetworksOptions): Promise<Networks> {
    const records = await Records.open<NetworkRecord>(options.paths.networks, unreadable(options.log));
    const networks = new Networks(options, records, await hasIpv6());
    await networks.#recover();
    return networks;
  }

  /** All networks that the filters let through. @throws {EngineError} invalid, for an unknown filter */
  list(filters?: Filters): NetworkRecord[] {
    if (filters === undefined) return this.#records.all();
    filters.accept("dangling", "driver", "id", "label", "name", "scope", "type");
    return selectNetworks(this.#records.all(), filters, ({ Id }) => this.containersOf(Id).size > 0);
  }

  /** By name, id, or the beginning of an id. @throws {EngineError} invalid, if that fits several */
  resolve(reference: string): NetworkRecord | undefined {
    return resolveNetwork(this.#records.all(), reference);
  }

  /** @throws {EngineError} notFound */
  get(reference: string): NetworkRecord {
    const found = this.resolve(reference);
    if (found === undefined) throw new EngineError("notFound", `network ${reference} not found`);
    return found;
  }

  /** Who is on it now, by container id. */
  containersOf(networkId: string): ReadonlyMap<string, NetworkContainer> {
    const found = new Map<string, NetworkContainer>();
    for (const { id, name, endpoints } of this.#attachments.all()) {
      const endpoint = endpoints.find((one) => one.networkId === networkId);
      if (endpoint !== undefined) found.set(id, networkContainer(endpoint, name));
    }
    return found;
  }

  /** Makes a network, its bridge too: what is wrong with it shows now and not when a container starts. */
  create(request: CreateNetwork): Promise<NetworkRecord> {
    return this.#serial.run("create", async () => {
      checkName(request.Name ?? "");
      if (this.#records.all().some(({ Name }) => Name === request.Name)) {
        throw new EngineError("conflict", `network with name ${request.Name} already exists`);
      }
      const record = describeNetwork(request, await this.#inUse());
      const twin = this.#records
        .all()
        .find((other) => other.Driver === "bridge" && deviceOf(other) === deviceOf(record));
      if (twin !== undefined) {
        const reason = `conflicts with network ${twin.Id} (${twin.Name}): networks have same bridge name`;
        throw new EngineError(
          "forbidden",
          `cannot create network ${record.Id} (${deviceOf(record)}): ${reason}`,
        );
      }
      this.#fabric.add(record);
      try {
        await Promise.all([this.#fabric.ensure(record.Id), this.#records.put(record.Id, record)]);
      } catch (error) {
        await this.#records.remove(record.Id);
        await this.#fabric.remove(record);
        throw error;
      }
      this.#emit("create", record);
      return record;
    });
  }

  /** @throws {EngineError} notFound; forbidden, if it is predefined or in use */
  async remove(reference: string): Promise<void> {
    const record = this.get(reference);
    if (isPredefined(record)) {
      throw new EngineError("forbidden", `${record.Name} is a pre-defined network and cannot be removed`);
    }
    if (this.containersOf(record.Id).size > 0) {
      const reason = `network ${record.Name} id ${record.Id} has active endpoints`;
      throw new EngineError("forbidden", `error while removing network: ${reason}`);
    }
    await this.#records.remove(record.Id);
    this.#names.removeTable(record.Id);
    // The kernel takes its time (an RCU grace period) over what nobody waits for.
    this.#later(this.#fabric.remove(record));
    this.#emit("destroy", record);
  }

  /** Removes what no container is on. Returns the names. */
  async prune(filters: Filters): Promise<string[]> {
    filters.accept("label", "label!", "until");
    const removed: string[] = [];
    for (const record of selectNetworks(this.#records.all(), filters, () => false)) {
      if (isPredefined(record) || this.containersOf(record.Id).size > 0) continue;
      await this.remove(record.Id);
      removed.push(record.Name);
    }
    const actor = { id: "", attributes: { reclaimed: "0" } };
    this.#options.events.emit({ type: "network", action: "prune", actor });
    return removed;
  }

  /**
   * Checks what a container that is created asks of networks that are there; others may come before it starts.
   *
   * @throws {EngineError} invalid
   */
  check(endpoints: Readonly<Record<string, EndpointRequest>>): void {
    for (const [reference, settings] of Object.entries(endpoints)) {
      const network = this.resolve(reference);
      if (network !== undefined) checkEndpointRequest(network, settings);
    }
  }

  /**
   * Plans a container that starts: takes its addresses and ports and publishes its names.
   *
   * @throws {EngineError} notFound for a network; system for a port that is taken; nothing is kept then
   */
  attach(request: AttachRequest): Promise<Attachment> {
    return this.#plugs.attach(request);
  }

  /** Gives back what a container that has ended had. A second call finds nothing to do. */
  release(containerId: string): Promise<void> {
    return this.#plugs.release(containerId);
  }

  /** After recovery: what is kept of containers that are not among these is given back. */
  async reattach(liveIds: ReadonlySet<string>): Promise<void> {
    for (const { id } of this.#attachments.all()) if (!liveIds.has(id)) await this.release(id);
  }

  /** What inspect shows of a running container; undefined of others. */
  live(containerId: string): LiveAttachment | undefined {
    return this.#plugs.live(containerId);
  }

  /**
   * Plugs a running container into one more network.
   *
   * @returns what its /etc/resolv.conf is to say from now on, if that changes
   * @throws {EngineError} notFound; forbidden, if it is in it; invalid for `host` and `none`
   */
  async connect(
    reference: string,
    container: Running,
    settings: EndpointRequest,
  ): Promise<string | undefined> {
    const network = this.get(reference);
    return this.#serial.run(container.id, () => this.#plugs.connect(network, container, settings));
  }

  /** @throws {EngineError} notFound; system, if it is not in it */
  async disconnect(reference: string, container: { readonly id: string }): Promise<void> {
    const network = this.get(reference);
    await this.#serial.run(container.id, () => this.#plugs.disconnect(network, container));
  }

  /** A running container's new name answers from now on. */
  rename(containerId: string, name: string): void {
    this.#plugs.rename(containerId, name);
  }

  /** What the machine has for networks, and what may be in their way. */
  checkMachine(): Promise<NetworkCheck[]> {
    return checkNetworks(this.#machine);
  }

  /** Waits for what goes on in the background; takes away what no container needs. */
  async close(): Promise<void> {
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
    if (this.#attachments.all().length === 0) await this.#fabric.undoAll();
  }

  /** Reads back what an earlier daemon left, and makes what a reboot took. */
  async #recover(): Promise<void> {
    for (const { name, driver } of PREDEFINED) {
      if (this.#records.all().some(({ Name }) => Name === name)) continue;
      const device = this.#options.defaultBridge ?? `slipway${markOf(this.#options.paths.run) || "0"}`;
      const record = predefinedNetwork(name, driver, device, await this.#inUse());
      await this.#records.put(record.Id, record);
    }
    for (const record of this.#records.all()) this.#fabric.add(record);
    await this.#fabric.sweep();
    for (const { name, ports, endpoints } of this.#attachments.all()) {
      this.#ports.restore(name, ports);
      for (const endpoint of endpoints) this.#fabric.restore(endpoint);
      await Promise.all(endpoints.map(({ networkId }) => this.#fabric.ensure(networkId)));
    }
  }

  async #inUse(): Promise<InUse> {
    const networks = this.#records
      .all()
      .flatMap((record) => subnetsOf(record).map((subnet) => ({ name: record.Name, subnet })));
    return { networks, machine: await machineSubnets() };
  }

  #later(work: Promise<void>): void {
    const logged = work.catch((error: unknown) =>
      this.#options.log.error("a network's clean-up failed", { reason: messageOf(error) }),
    );
    this.#background.add(logged);
    void logged.finally(() => this.#background.delete(logged));
  }

  #emit(
    action: string,
    { Id, Name, Driver }: NetworkRecord,
    more: Readonly<Record<string, string>> = {},
  ): void {
    const attributes = { ...more, name: Name, type: Driver };
    this.#options.events.emit({ type: "network", action, actor: { id: Id, attributes } });
  }
}

function isPredefined({ Name }: NetworkRecord): boolean {
  return PREDEFINED.some(({ name }) => name === Name);
}

function unreadable(log: Log): (path: string, cause: unknown) => void {
  return (path, cause) =>
    log.error("a record of networks cannot be read", { path, reason: messageOf(cause) });
}
