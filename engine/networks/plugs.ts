/** Containers plugged into networks: what each of them has while it runs, taken when it starts and given back when it ends. */
import { randomBytes } from "node:crypto";
import { EngineError } from "../errors.ts";
import type { Op } from "../native/protocol.ts";
import {
  type AttachmentRecord,
  endpointStates,
  forwardsOf,
  gatewayEndpoint,
  launchOps,
  type NetworkOf,
  portMap,
  publishesAny,
  publishOps,
  resolverOps,
} from "./attachment.ts";
import { isDefaultBridge } from "./create.ts";
import {
  checkEndpointRequest,
  type Endpoint,
  endpointOps,
  gatewaysOf,
  makeEndpoint,
  namedEndpoint,
} from "./endpoint.ts";
import type { Fabric } from "./fabric.ts";
import type { Forward } from "./firewall.ts";
import { formatResolvConf } from "./hosts.ts";
import { hostsFile } from "./hostsfile.ts";
import { addRoutes, deleteLink } from "./links.ts";
import type { Machine } from "./machine.ts";
import type { Names } from "./names.ts";
import { type PortRequest, type Ports, type PublishedPort, portRequests } from "./ports.ts";
import { aliasesOf, hostResolver, resolverFor, resolverRequest } from "./resolver.ts";
import type { Scratch } from "./scratch.ts";
import type { Attachment, AttachRequest, EndpointRequest, LiveAttachment, NetworkRecord } from "./types.ts";
import { freeName, wantedNetworks } from "./wanted.ts";

export interface PlugsTools {
  readonly fabric: Fabric;
  readonly machine: Machine;
  readonly names: Names;
  readonly ports: Ports;
  readonly records: Scratch<AttachmentRecord>;
  /** By id. */
  readonly network: (id: string) => NetworkRecord | undefined;
  /** By name, id or beginning of an id. @throws {EngineError} notFound */
  readonly find: (reference: string) => NetworkRecord;
  /** The kernel has IPv6. */
  readonly ipv6: boolean;
  /** The engine's network is not the machine's. */
  readonly rootless: boolean;
  readonly tell: (action: "connect" | "disconnect", network: NetworkRecord, containerId: string) => void;
  /** Work that goes on after its caller was answered. */
  readonly later: (work: Promise<void>) => void;
}

/** A container that runs. */
export interface Running {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
}

export class Plugs {
  readonly #tools: PlugsTools;
  #verified = 0;

  constructor(tools: PlugsTools) {
    this.#tools = tools;
  }

  async attach(request: AttachRequest): Promise<Attachment> {
    const { fabric, ports, records } = this.#tools;
    await this.release(request.id);
    const wanted = wantedNetworks(request, this.#tools.find);
    const networks = wanted.map(({ network }) => network);
    const viaHost = request.extraHosts?.some((text) => text.endsWith("host-gateway"))
      ? [this.#tools.find("bridge")]
      : [];
    await Promise.all([...networks, ...viaHost].map(({ Id }) => fabric.ensure(Id)));
    const requested = portRequests(request);
    const verified = this.#verify(requested.length > 0);
    const endpoints: Endpoint[] = [];
    let published: readonly PublishedPort[] = [];
    try {
      for (const { network, settings } of wanted) {
        endpoints.push(this.#endpoint(network, settings, freeName(endpoints, network), request));
      }
      published = await this.#publish(request.name, endpoints, requested);
      const record: AttachmentRecord = {
        id: request.id,
        name: request.name,
        hostname: request.hostname,
        sandboxId: randomBytes(32).toString("hex"),
        endpoints,
        ports: published,
        portKeys:
          networks[0]?.Driver === "bridge"
            ? requested.map(({ port, protocol }) => `${port}/${protocol}`)
            : [],
        requests: requested,
        dns: resolverFor(request, networks, this.#tools.rootless),
        resolver: resolverRequest(request),
      };
      this.#keep(record);
      // A replacement of the rules that is under way may not know of these ports, and would drop them.
      if (published.length > 0) await this.#tools.machine.settled();
      await verified;
      for (const network of networks) this.#tools.tell("connect", network, request.id);
      return await this.#attachment(request, record);
    } catch (error) {
      for (const endpoint of endpoints) fabric.release(endpoint);
      ports.release(published);
      records.remove(request.id);
      throw error;
    }
  }

  async release(containerId: string): Promise<void> {
    const { fabric, machine, names, ports, records } = this.#tools;
    const record = records.get(containerId);
    if (record === undefined) return;
    const forwards = forwardsOf(record, this.#networkOf);
    records.remove(containerId);
    for (const endpoint of record.endpoints) fabric.release(endpoint);
    // An RCU grace period in the kernel, which nobody need wait for but who wants the same ports.
    const unpublished = this.#unpublish(machine, forwards);
    this.#tools.later(unpublished);
    ports.release(record.ports, forwards.length > 0 ? unpublished.catch(() => {}) : undefined);
    names.removeResolver(containerId);
    for (const { networkId } of record.endpoints) this.#writeNames(networkId);
    for (const { networkId } of record.endpoints) this.#tell("disconnect", networkId, containerId);
  }

  live(containerId: string): LiveAttachment | undefined {
    const record = this.#tools.records.get(containerId);
    if (record === undefined) return undefined;
    const endpoints = endpointStates(record, this.#networkOf);
    return { endpoints, ports: portMap(record, this.#networkOf), sandboxId: record.sandboxId };
  }

  /** Plugs a running container into one more network. Returns what its /etc/resolv.conf is to say from now on, if that changes. */
  async connect(
    network: NetworkRecord,
    container: Running,
    settings: EndpointRequest,
  ): Promise<string | undefined> {
    const { fabric, machine, names } = this.#tools;
    const record = this.#record(container.id);
    if (record.endpoints.some(({ networkId }) => networkId === network.Id)) {
      throw new EngineError(
        "forbidden",
        `endpoint with name ${container.name} already exists in network ${network.Name}`,
      );
    }
    for (const { Driver } of [network, ...record.endpoints.map(this.#networkOf)]) {
      if (NOT_PLUGGABLE[Driver] !== undefined) throw new EngineError("forbidden", NOT_PLUGGABLE[Driver]);
    }
    await fabric.ensure(network.Id);
    const name = freeName(record.endpoints, network);
    const endpoint = this.#endpoint(network, settings, name, container);
    const known = record.dns ?? resolverFor(record.resolver, [network], this.#tools.rootless);
    const dns = known && { ...known, aliases: [...known.aliases, ...aliasesOf(settings.Links ?? [])] };
    const table = (await machine.hasNftables()) ? machine.table : undefined;
    let after: AttachmentRecord = { ...record, endpoints: [...record.endpoints, endpoint], dns };
    try {
      after = await this.#withPorts(record, after);
      const ops = endpointOps(endpoint, network, { isGateway: false, publishes: publishesAny(record) });
      ops.push(...this.#moveOps(record, after, table));
      if (dns !== undefined && record.dns === undefined) {
        ops.push(...resolverOps(dns, { table, resolver: names.resolverOf(container.id) }));
      }
      // The resolver's table is there before the resolver is.
      this.#keep(after);
      await this.#unpublishMoved(record, after);
      await machine.besideContainer(container.id, ops);
    } catch (error) {
      fabric.release(endpoint);
      if (record.ports.length === 0) this.#tools.ports.release(after.ports);
      this.#keep(record);
      this.#writeNames(network.Id);
      throw error;
    }
    this.#tools.tell("connect", network, container.id);
    if (dns === undefined || record.dns !== undefined) return undefined;
    return formatResolvConf(hostResolver(record.resolver, "bridge", true, this.#tools.rootless));
  }

  /** Unplugs a running container. The default route moves on to another of its networks. */
  async disconnect(network: NetworkRecord, container: { readonly id: string }): Promise<void> {
    const { fabric, machine, ports } = this.#tools;
    const record = this.#record(container.id);
    const endpoint = record.endpoints.find(({ networkId }) => networkId === network.Id);
    if (network.Driver === "host") throw new EngineError("forbidden", NOT_PLUGGABLE["host"] ?? "");
    if (endpoint === undefined) {
      throw new EngineError(
        "system",
        `container ${container.id} is not connected to network ${network.Name}`,
      );
    }
    const rest = { ...record, endpoints: record.endpoints.filter((one) => one !== endpoint) };
    const after = await this.#withPorts(record, rest);
    if (network.Driver === "bridge") {
      const table = (await machine.hasNftables()) ? machine.table : undefined;
      await this.#unpublishMoved(record, after);
      await machine.besideContainer(container.id, [
        { op: "hostNetlink", ...deleteLink(endpoint.host) },
        ...this.#moveOps(record, after, table),
      ]);
      if (after.ports.length === 0) ports.release(record.ports);
    }
    fabric.release(endpoint);
    this.#keep(after);
    this.#writeNames(network.Id);
    this.#tools.tell("disconnect", network, container.id);
  }

  /** Ports are published while there is an endpoint that the default route goes through. */
  async #withPorts(before: AttachmentRecord, after: AttachmentRecord): Promise<AttachmentRecord> {
    const was = gatewayEndpoint(before.endpoints, this.#networkOf);
    const is = gatewayEndpoint(after.endpoints, this.#networkOf);
    if (is === undefined) return { ...after, ports: [] };
    if (was !== undefined) return after;
    return { ...after, ports: await this.#publish(after.name, after.endpoints, after.requests ?? []) };
  }

  /** The default route and the published ports follow the first of the networks. */
  #moveOps(before: AttachmentRecord, after: AttachmentRecord, table: string | undefined): Op[] {
    const is = gatewayEndpoint(after.endpoints, this.#networkOf);
    if (is === gatewayEndpoint(before.endpoints, this.#networkOf)) return [];
    const published = before.ports.length > 0 || after.ports.length > 0;
    return [
      ...(is === undefined
        ? []
        : [{ op: "containerNetlink", ...addRoutes(is.name, gatewaysOf(is)) } as const]),
      ...(published ? publishOps(after, { networkOf: this.#networkOf, table }) : []),
    ];
  }

  async #unpublishMoved(before: AttachmentRecord, after: AttachmentRecord): Promise<void> {
    const was = gatewayEndpoint(before.endpoints, this.#networkOf);
    if (was === gatewayEndpoint(after.endpoints, this.#networkOf)) return;
    await this.#unpublish(this.#tools.machine, forwardsOf(before, this.#networkOf));
  }

  /** A container's new name answers; the old one does not. */
  rename(containerId: string, name: string): void {
    const record = this.#tools.records.get(containerId);
    if (record === undefined) return;
    const endpoints = record.endpoints.map((endpoint) => ({
      ...endpoint,
      dnsNames: [...new Set(endpoint.dnsNames.map((one) => (one === record.name ? name : one)))],
    }));
    this.#keep({ ...record, name, endpoints });
  }

  /** All published ports that the kernel forwards. */
  forwards(): Forward[] {
    return this.#tools.records.all().flatMap((record) => forwardsOf(record, this.#networkOf));
  }

  readonly #networkOf: NetworkOf = ({ networkId }) => {
    const found = this.#tools.network(networkId);
    if (found === undefined) throw new EngineError("notFound", `network ${networkId} not found`);
    return found;
  };

  #record(containerId: string): AttachmentRecord {
    const record = this.#tools.records.get(containerId);
    if (record === undefined) throw new EngineError("conflict", `container ${containerId} is not running`);
    return record;
  }

  #endpoint(
    network: NetworkRecord,
    settings: EndpointRequest,
    name: string,
    { id, name: container, hostname }: Pick<Running, "id" | "name" | "hostname">,
  ): Endpoint {
    checkEndpointRequest(network, settings);
    const names = [container, ...(settings.Aliases ?? []), id.slice(0, 12), hostname];
    return makeEndpoint(network, this.#tools.fabric.pools(network.Id), settings, name, names);
  }

  /** Rules can be gone behind our back. Ports cannot be added then, so those wait; others are not held up. */
  #verify(wait: boolean): Promise<void> {
    const now = performance.now();
    if (!wait && now - this.#verified < VERIFY_EVERY) return Promise.resolve();
    this.#verified = now;
    const verified = this.#tools.fabric.verify();
    this.#tools.later(verified);
    // A failure is in the log by then, and shows when the ports are added.
    return wait ? verified.catch(() => {}) : Promise.resolve();
  }

  async #publish(
    name: string,
    endpoints: readonly Endpoint[],
    requested: readonly PortRequest[],
  ): Promise<PublishedPort[]> {
    const gateway = gatewayEndpoint(endpoints, this.#networkOf);
    if (gateway === undefined) return [];
    const option = this.#networkOf(gateway).Options["com.docker.network.bridge.host_binding_ipv4"] ?? "";
    const address = option === "0.0.0.0" ? "" : option;
    return this.#tools.ports.claim({ name, endpointId: gateway.endpointId }, requested, address);
  }

  async #unpublish(machine: Machine, forwards: readonly Forward[]): Promise<void> {
    for (const family of [4, 6] as const) {
      const some = forwards.filter(({ address }) => address.family === family);
      await machine.unpublish(family, some);
    }
  }

  /** Writes the record and the names that follow from it. */
  #keep(record: AttachmentRecord): void {
    this.#tools.records.put(record.id, record);
    if (record.dns !== undefined) {
      const networks = record.endpoints.map(({ networkId }) => networkId);
      // A question about the outside must not leave by an internal network's resolver (CVE-2024-29018).
      const inside = record.endpoints.every((endpoint) => this.#networkOf(endpoint).Internal);
      const { aliases, servers } = record.dns;
      this.#tools.names.writeResolver(record.id, { networks, aliases, servers: inside ? [] : servers });
    }
    for (const { networkId } of record.endpoints) this.#writeNames(networkId);
  }

  #writeNames(networkId: string): void {
    const network = this.#tools.network(networkId);
    if (network === undefined || network.Driver !== "bridge" || isDefaultBridge(network)) return;
    const named = this.#tools.records.all().flatMap(({ name, endpoints }) => {
      const endpoint = endpoints.find((one) => one.networkId === networkId);
      return endpoint === undefined ? [] : [namedEndpoint(endpoint, network, name)];
    });
    this.#tools.names.writeTable(networkId, named);
  }

  #tell(action: "connect" | "disconnect", networkId: string, containerId: string): void {
    const network = this.#tools.network(networkId);
    if (network !== undefined) this.#tools.tell(action, network, containerId);
  }

  async #attachment(request: AttachRequest, record: AttachmentRecord): Promise<Attachment> {
    const { machine, names, ipv6 } = this.#tools;
    const [main] = record.endpoints;
    const Driver = main === undefined ? "null" : this.#networkOf(main).Driver;
    const nftables = Driver === "bridge" && (await machine.hasNftables());
    const table = nftables ? machine.table : undefined;
    const resolver = names.resolverOf(record.id);
    return {
      ops: Driver === "host" ? [] : launchOps(record, { networkOf: this.#networkOf, table, resolver, ipv6 }),
      endpoints: endpointStates(record, this.#networkOf),
      ports: portMap(record, this.#networkOf),
      hostNamespace: Driver === "host",
      sandboxId: record.sandboxId,
      hosts: hostsFile(request, record, {
        networkOf: this.#networkOf,
        gateway: this.#tools.fabric.gateway(this.#tools.find("bridge").Id),
        others: this.#tools.records.all(),
      }),
      resolvConf: formatResolvConf(
        hostResolver(request, Driver, record.dns !== undefined, this.#tools.rootless),
      ),
      hostnameFile: `${request.hostname}\n`,
    };
  }
}

/** Milliseconds between looks at the rules. */
const VERIFY_EVERY = 1000;

/** Why a container with such a network has no other. */
const NOT_PLUGGABLE: Readonly<Record<string, string>> = {
  host: "container cannot be disconnected from host network or connected to host network",
  null: "container cannot be connected to multiple networks with one of the networks in private (none) mode",
};
