/**
 * Networks: bridges that containers are plugged into, names by which they find each other, and ports by which the
 * outside finds them. Records of networks are kept with the data; who is attached is kept beneath the exec root, as it
 * ends with the machine. Nothing that a running container needs depends on this process.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { EngineError, messageOf } from "../errors.ts";
import type { Events } from "../events.ts";
import type { Filters } from "../filters.ts";
import type { Log } from "../log.ts";
import type { Spawner } from "../native/spawner.ts";
import type { Paths } from "../store/paths.ts";
import { Records } from "../store/records.ts";
import { Serial } from "../store/serial.ts";
import { formatAddress, parseAddress } from "./address.ts";
import {
  type AttachmentRecord,
  endpointStates,
  forwardsOf,
  gatewayEndpoint,
  launchOps,
  type NetworkOf,
  portMap,
} from "./attachment.ts";
import {
  describeNetwork,
  deviceOf,
  type InUse,
  isDefaultBridge,
  isOn,
  mtuOf,
  PREDEFINED,
  poolsOf,
  predefinedNetwork,
  subnetsOf,
} from "./create.ts";
import { addressOf, type Endpoint, makeEndpoint, namedEndpoint, networkContainer } from "./endpoint.ts";
import type { Forward, Zone } from "./firewall.ts";
import { formatHosts, formatResolvConf, type HostLine, ownNames, parseExtraHost } from "./hosts.ts";
import { AddressPool } from "./ipam.ts";
import { macOf } from "./links.ts";
import { hasIpv6, Machine, machineSubnets } from "./machine.ts";
import { Names } from "./names.ts";
import { Ports, portRequests } from "./ports.ts";
import { hostResolver, resolverFor } from "./resolver.ts";
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
}

/** A network while it is there. */
interface Live {
  readonly record: NetworkRecord;
  readonly pools: readonly AddressPool[];
  /** Set when its device is made; the same promise for all who need it. */
  device: Promise<void> | undefined;
}

export class Networks {
  readonly #options: NetworksOptions;
  readonly #records: Records<NetworkRecord>;
  readonly #attachments: Records<AttachmentRecord>;
  readonly #machine: Machine;
  readonly #names: Names;
  readonly #ports: Ports;
  readonly #ipv6: boolean;
  readonly #live = new Map<string, Live>();
  readonly #serial = new Serial();
  /** What goes on after its caller was answered. */
  readonly #background = new Set<Promise<void>>();

  private constructor(
    options: NetworksOptions,
    records: Records<NetworkRecord>,
    attachments: Records<AttachmentRecord>,
    ipv6: boolean,
  ) {
    const directory = join(options.paths.run, "networks");
    this.#options = options;
    this.#records = records;
    this.#attachments = attachments;
    this.#machine = new Machine({ ...options, directory, table: "slipway" });
    this.#names = new Names(directory);
    this.#ipv6 = ipv6;
    this.#ports = new Ports(ipv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"]);
  }

  static async open(options: NetworksOptions): Promise<Networks> {
    const unreadable = (path: string, cause: unknown): void =>
      options.log.error("a network's record cannot be read", { path, reason: messageOf(cause) });
    const [records, attachments, ipv6] = await Promise.all([
      Records.open<NetworkRecord>(options.paths.networks, unreadable),
      Records.open<AttachmentRecord>(join(options.paths.run, "networks", "attachments"), unreadable),
      hasIpv6(),
    ]);
    const networks = new Networks(options, records, attachments, ipv6);
    await networks.#recover();
    return networks;
  }

  /** All networks that the filters let through. @throws {EngineError} invalid, for an unknown filter */
  list(filters?: Filters): NetworkRecord[] {
    return filters === undefined
      ? this.#records.all()
      : selectNetworks(this.#records.all(), filters, (network) => this.containersOf(network.Id).size > 0);
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
  async create(request: CreateNetwork): Promise<NetworkRecord> {
    return this.#serial.run("networks", async () => {
      if (this.#records.all().some(({ Name }) => Name === request.Name)) {
        throw new EngineError("conflict", `network with name ${request.Name} already exists`);
      }
      const record = describeNetwork(request, await this.#inUse());
      const live = this.#enter(record);
      try {
        await this.#device(live);
        await this.#records.put(record.Id, record);
      } catch (error) {
        this.#live.delete(record.Id);
        await this.#undoDevice(record);
        throw error;
      }
      this.#emit("create", record);
      return record;
    });
  }

  /** @throws {EngineError} notFound; forbidden, if it is predefined or in use */
  async remove(reference: string): Promise<void> {
    const record = this.get(reference);
    if (PREDEFINED.some(({ name }) => name === record.Name)) {
      throw new EngineError("forbidden", `${record.Name} is a pre-defined network and cannot be removed`);
    }
    if (this.containersOf(record.Id).size > 0) {
      throw new EngineError(
        "forbidden",
        `error while removing network: network ${record.Name} id ${record.Id} has active endpoints`,
      );
    }
    this.#live.delete(record.Id);
    await this.#records.remove(record.Id);
    // The kernel takes its time (an RCU grace period) over what nobody waits for.
    this.#later(this.#undoDevice(record));
    this.#emit("destroy", record);
  }

  /** Removes what no container is on. Returns the names. */
  async prune(filters: Filters): Promise<string[]> {
    const removed: string[] = [];
    for (const record of selectNetworks(this.#records.all(), filters, () => false)) {
      if (PREDEFINED.some(({ name }) => name === record.Name)) continue;
      if (this.containersOf(record.Id).size > 0) continue;
      await this.remove(record.Id);
      removed.push(record.Name);
    }
    this.#options.events.emit({
      type: "network",
      action: "prune",
      actor: { id: "", attributes: { reclaimed: "0" } },
    });
    return removed;
  }

  /**
   * Plans a container that starts: takes its addresses and ports and publishes its names.
   *
   * @throws {EngineError} notFound for a network; system for a port that is taken; nothing is kept then
   */
  async attach(request: AttachRequest): Promise<Attachment> {
    await this.release(request.id);
    const wanted = this.#wanted(request);
    const networks = wanted.map(({ live }) => live);
    if (request.extraHosts?.some((text) => text.endsWith("host-gateway"))) {
      await this.#device(this.#live.get(this.get("bridge").Id)!);
    }
    await Promise.all(networks.map((live) => this.#device(live)));
    const endpoints: Endpoint[] = [];
    const undo: (() => void)[] = [];
    try {
      for (const { live, settings } of wanted) {
        const names = [request.name, ...(settings.Aliases ?? []), request.id.slice(0, 12), request.hostname];
        const made = makeEndpoint(live.record, live.pools, settings, `eth${endpoints.length}`, names);
        undo.push(() => this.#giveBack(made));
        endpoints.push(made);
      }
      const gateway = gatewayEndpoint(endpoints, this.#networkOf);
      const requested = portRequests(request);
      const owner = { name: request.name, endpointId: gateway?.endpointId ?? "" };
      const address =
        gateway && this.#networkOf(gateway).Options["com.docker.network.bridge.host_binding_ipv4"];
      const preferred = address === "0.0.0.0" ? "" : (address ?? "");
      const ports = gateway === undefined ? [] : await this.#ports.claim(owner, requested, preferred);
      undo.push(() => this.#ports.release(ports));
      const record: AttachmentRecord = {
        id: request.id,
        name: request.name,
        hostname: request.hostname,
        sandboxId: randomBytes(32).toString("hex"),
        endpoints,
        ports,
        portKeys: gateway === undefined ? [] : requested.map(({ port, protocol }) => `${port}/${protocol}`),
        dns: await resolverFor(
          request,
          networks.map(({ record }) => record),
        ),
      };
      await this.#keep(record);
      for (const { record: network } of networks) this.#emit("connect", network, request.id);
      return await this.#attachment(request, record);
    } catch (error) {
      for (const step of undo) step();
      await this.#attachments.remove(request.id);
      throw error;
    }
  }

  /** Gives back what a container that has ended had. A second call finds nothing to do. */
  async release(containerId: string): Promise<void> {
    const record = this.#attachments.get(containerId);
    if (record === undefined) return;
    await this.#attachments.remove(containerId);
    for (const endpoint of record.endpoints) this.#giveBack(endpoint);
    const forwards = forwardsOf(record, this.#networkOf);
    // The ports stay taken until the kernel has let go of the rules: an RCU grace period that nobody need wait for.
    if (record.ports.length > 0)
      this.#later(this.#unpublish(forwards).finally(() => this.#ports.release(record.ports)));
    await Promise.all([
      this.#names.removeResolver(containerId),
      ...record.endpoints.map(({ networkId }) => this.#writeNames(networkId)),
    ]);
    for (const endpoint of record.endpoints) {
      const network = this.#records.get(endpoint.networkId);
      if (network !== undefined) this.#emit("disconnect", network, containerId);
    }
  }

  /** After recovery: what is kept of containers that are not among these is given back. */
  async reattach(liveIds: ReadonlySet<string>): Promise<void> {
    for (const { id } of this.#attachments.all()) if (!liveIds.has(id)) await this.release(id);
  }

  /** What inspect shows of a running container. */
  live(containerId: string): LiveAttachment | undefined {
    const record = this.#attachments.get(containerId);
    if (record === undefined) return undefined;
    const endpoints = endpointStates(record, this.#networkOf);
    return { endpoints, ports: portMap(record), sandboxId: record.sandboxId };
  }

  /** Waits for what goes on in the background; takes away what no container needs. */
  async close(): Promise<void> {
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
    if (this.#attachments.all().length > 0) return;
    await Promise.all(this.#records.all().map((record) => this.#undoDevice(record)));
    await this.#machine.endForwarding(4);
    await this.#machine.endForwarding(6);
  }

  readonly #networkOf: NetworkOf = ({ networkId }) => {
    const found = this.#records.get(networkId);
    if (found === undefined) throw new EngineError("notFound", `network ${networkId} not found`);
    return found;
  };

  /** Reads back what an earlier daemon left, and makes what a reboot took. */
  async #recover(): Promise<void> {
    for (const { name, driver } of PREDEFINED) {
      if (this.#records.all().some(({ Name }) => Name === name)) continue;
      const device = this.#options.defaultBridge ?? "slipway0";
      const record = predefinedNetwork(name, driver, device, await this.#inUse());
      await this.#records.put(record.Id, record);
    }
    for (const record of this.#records.all()) this.#enter(record);
    for (const record of this.#attachments.all()) {
      this.#ports.restore(record.name, record.ports);
      for (const endpoint of record.endpoints) this.#takeBack(endpoint);
    }
    const used = new Set(
      this.#attachments.all().flatMap(({ endpoints }) => endpoints.map((one) => one.networkId)),
    );
    for (const live of this.#live.values()) if (used.has(live.record.Id)) await this.#device(live);
  }

  #enter(record: NetworkRecord): Live {
    const pools = poolsOf(record).map((pool) => new AddressPool(pool));
    const live: Live = { record, pools, device: undefined };
    this.#live.set(record.Id, live);
    return live;
  }

  async #inUse(): Promise<InUse> {
    const networks = this.#records
      .all()
      .flatMap((record) => subnetsOf(record).map((subnet) => ({ name: record.Name, subnet })));
    return { networks, machine: await machineSubnets() };
  }

  /** Sees to it that a network's bridge and rules are there. */
  #device(live: Live): Promise<void> {
    if (live.record.Driver !== "bridge") return Promise.resolve();
    if (live.device === undefined) {
      live.device = this.#makeDevice(live);
      live.device.catch(() => {
        live.device = undefined;
      });
    }
    return live.device;
  }

  async #makeDevice({ record, pools }: Live): Promise<void> {
    const addresses = pools.map(({ pool }) => ({ address: pool.gateway, length: pool.subnet.length }));
    const name = deviceOf(record);
    const mac = macOf(addresses[0]?.address ?? { family: 4, value: BigInt(`0x${record.Id.slice(0, 8)}`) });
    const families = new Set(addresses.map(({ address }) => address.family));
    await Promise.all([
      this.#machine.bridge({ name, mac, mtu: mtuOf(record), addresses }),
      ...[...families].map((family) => this.#machine.rules(family, () => this.#rules())),
      ...(record.Internal ? [] : [...families].map((family) => this.#machine.forwarding(family))),
    ]);
  }

  async #undoDevice(record: NetworkRecord): Promise<void> {
    if (record.Driver !== "bridge") return;
    const live = this.#live.get(record.Id);
    if (live !== undefined) live.device = undefined;
    await Promise.all([
      this.#machine.removeBridge(deviceOf(record)),
      this.#machine.rules(4, () => this.#rules()),
      ...(record.EnableIPv6 ? [this.#machine.rules(6, () => this.#rules())] : []),
      this.#names.removeTable(record.Id),
    ]);
  }

  #rules(): { zones: readonly Zone[]; forwards: readonly Forward[] } {
    const zones = [...this.#live.values()]
      .filter(({ record, device }) => record.Driver === "bridge" && device !== undefined)
      .map(({ record }) => ({
        bridge: deviceOf(record),
        subnets: subnetsOf(record),
        internal: record.Internal,
        masquerade: isOn(record, "enable_ip_masquerade"),
      }));
    return { zones, forwards: this.#attachments.all().flatMap((one) => forwardsOf(one, this.#networkOf)) };
  }

  /** The networks that a container asks for; the one of its mode comes first, as eth0. */
  #wanted(request: AttachRequest): { live: Live; settings: EndpointRequest }[] {
    const mode = this.get(request.mode === "" || request.mode === "default" ? "bridge" : request.mode);
    const settings = new Map<string, EndpointRequest>([[mode.Id, {}]]);
    for (const [reference, one] of Object.entries(request.endpoints ?? {})) {
      settings.set(this.get(reference === "default" ? "bridge" : reference).Id, one ?? {});
    }
    if (request.macAddress && !settings.get(mode.Id)?.MacAddress) {
      settings.set(mode.Id, { ...settings.get(mode.Id), MacAddress: request.macAddress });
    }
    const [first, ...others] = [...settings].map(([id, one]) => ({
      live: this.#live.get(id)!,
      settings: one,
    }));
    others.sort((a, b) => (a.live.record.Name < b.live.record.Name ? -1 : 1));
    return [first!, ...others];
  }

  /** On disk, in the names of its networks, and with no replacement of the rules under way that does not know of it. */
  async #keep(record: AttachmentRecord): Promise<void> {
    await this.#attachments.put(record.id, record);
    await Promise.all([
      record.ports.length > 0 ? this.#machine.settled() : undefined,
      record.dns === undefined
        ? undefined
        : this.#names.writeResolver(record.id, {
            networks: record.endpoints.map(({ networkId }) => networkId),
            aliases: record.dns.aliases,
            servers: record.dns.servers,
          }),
      ...record.endpoints.map(({ networkId }) => this.#writeNames(networkId)),
    ]);
  }

  async #writeNames(networkId: string): Promise<void> {
    const network = this.#records.get(networkId);
    if (network === undefined || network.Driver !== "bridge" || isDefaultBridge(network)) return;
    const named = this.#attachments.all().flatMap(({ name, endpoints }) => {
      const endpoint = endpoints.find((one) => one.networkId === networkId);
      return endpoint === undefined ? [] : [namedEndpoint(endpoint, network, name)];
    });
    await this.#names.writeTable(networkId, named);
  }

  async #attachment(request: AttachRequest, record: AttachmentRecord): Promise<Attachment> {
    const driver = this.#networkOf(record.endpoints[0]!).Driver;
    const nftables = driver === "bridge" && (await this.#machine.hasNftables());
    const ops = launchOps(record, {
      networkOf: this.#networkOf,
      table: nftables ? this.#machine.table : undefined,
      resolver: this.#names.resolverOf(record.id),
      ipv6: this.#ipv6,
    });
    return {
      ops: driver === "host" ? [] : ops,
      endpoints: endpointStates(record, this.#networkOf),
      ports: portMap(record),
      hostNamespace: driver === "host",
      sandboxId: record.sandboxId,
      hosts: formatHosts([...this.#extraHosts(request), ...this.#ownHosts(request, record)]),
      resolvConf: formatResolvConf(await hostResolver(request, driver, record.dns !== undefined)),
      hostnameFile: `${request.hostname}\n`,
    };
  }

  #ownHosts(request: AttachRequest, { endpoints }: AttachmentRecord): HostLine[] {
    const names = ownNames(request.hostname, request.domainname ?? "");
    const links = (request.links ?? []).flatMap((link) => this.#linkHosts(link, endpoints));
    return [
      ...links,
      ...endpoints.flatMap(({ addresses }) => addresses.map(({ address }) => ({ address, names }))),
    ];
  }

  /** On the default bridge a link is a line in /etc/hosts; elsewhere the resolver knows it. */
  #linkHosts(link: string, endpoints: readonly Endpoint[]): HostLine[] {
    const [target = "", alias = target] = link.replace(/^\//, "").split(":");
    const shared = endpoints.find((endpoint) => isDefaultBridge(this.#networkOf(endpoint)));
    const other = this.#attachments.all().find(({ id, name }) => id === target || name === target);
    const endpoint = other?.endpoints.find(({ networkId }) => networkId === shared?.networkId);
    const address = endpoint && addressOf(endpoint, 4)?.address;
    if (other === undefined || address === undefined) return [];
    const names = [...new Set([alias.split("/").at(-1)!, other.hostname, other.name])];
    return [{ address, names }];
  }

  #extraHosts(request: AttachRequest): HostLine[] {
    const gateway = poolsOf(this.get("bridge"))[0]?.gateway;
    return (request.extraHosts ?? []).map((text) => {
      const line = parseExtraHost(text);
      if (line === undefined)
        throw new EngineError("invalid", `bad format for add-host: ${JSON.stringify(text)}`);
      if (line.address !== "host-gateway") return line;
      return { ...line, address: gateway === undefined ? "" : formatAddress(gateway) };
    });
  }

  #giveBack(endpoint: Endpoint): void {
    for (const { address } of endpoint.addresses) {
      const parsed = parseAddress(address);
      for (const pool of this.#live.get(endpoint.networkId)?.pools ?? []) if (parsed) pool.release(parsed);
    }
  }

  #takeBack(endpoint: Endpoint): void {
    for (const { address } of endpoint.addresses) {
      const parsed = parseAddress(address);
      const pools = this.#live.get(endpoint.networkId)?.pools ?? [];
      const pool = pools.find(({ family }) => family === parsed?.family);
      if (pool !== undefined && parsed !== undefined) pool.restore(parsed);
    }
  }

  async #unpublish(forwards: readonly Forward[]): Promise<void> {
    for (const family of [4, 6] as const) {
      await this.#machine.unpublish(
        family,
        forwards.filter(({ address }) => address.family === family),
      );
    }
  }

  #later(work: Promise<void>): void {
    const logged = work.catch((error: unknown) =>
      this.#options.log.error("a network's clean-up failed", { reason: messageOf(error) }),
    );
    this.#background.add(logged);
    void logged.finally(() => this.#background.delete(logged));
  }

  #emit(action: string, network: NetworkRecord, container?: string): void {
    this.#options.events.emit({
      type: "network",
      action,
      actor: {
        id: network.Id,
        attributes: {
          ...(container === undefined ? {} : { container }),
          name: network.Name,
          type: network.Driver,
        },
      },
    });
  }
}
