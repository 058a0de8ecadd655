/**
 * What networks hand to the containers, and what they are asked. Names with a capital are the wire's own, as in
 * engine/containers/types.ts.
 */
import type { Op } from "../native/protocol.ts";

export interface IpamPool {
  readonly Subnet?: string;
  readonly IPRange?: string;
  readonly Gateway?: string;
  /** Addresses that are given to nobody, by a name of the user's. */
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>> | null;
}

export interface Ipam {
  readonly Driver: string;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Config: readonly IpamPool[];
}

export type NetworkDriver = "bridge" | "host" | "null";

/** A network as it is kept on disk and shown by inspect, endpoints aside. */
export interface NetworkRecord {
  readonly Name: string;
  /** 64 hex digits. */
  readonly Id: string;
  /** RFC 3339 with nine digits, UTC. */
  readonly Created: string;
  readonly Driver: NetworkDriver;
  readonly EnableIPv6: boolean;
  readonly IPAM: Ipam;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Options: Readonly<Record<string, string>>;
  readonly Labels: Readonly<Record<string, string>>;
  /** The user chose its subnets: only then containers may choose their addresses. Not shown. */
  readonly OwnSubnets: boolean;
}

/** The body of POST /networks/create. */
export interface CreateNetwork {
  readonly Name?: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly ConfigOnly?: boolean;
  readonly EnableIPv6?: boolean;
  readonly IPAM?: {
    readonly Driver?: string;
    readonly Config?: readonly IpamPool[] | null;
    readonly Options?: Readonly<Record<string, string>> | null;
  } | null;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** What a client asks of one network: a value of `EndpointsConfig`, or `EndpointConfig` of a connect. */
export interface EndpointRequest {
  readonly IPAMConfig?: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[];
  } | null;
  /** `container` or `container:alias`. */
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly MacAddress?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  /** The default route goes through the network with the highest; then by name. */
  readonly GwPriority?: number;
}

/** A value of inspect's `NetworkSettings.Networks`. */
export interface EndpointState {
  readonly IPAMConfig: EndpointRequest["IPAMConfig"];
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  readonly MacAddress: string;
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly DriverOpts: Readonly<Record<string, string>> | null;
  readonly DNSNames: readonly string[] | null;
}

export interface PortBinding {
  readonly HostIp?: string;
  /** Empty or `0`: any free one; `8000-8010`: a free one of these. */
  readonly HostPort?: string;
}

/** `80/tcp` → where it is published; null for a port that is exposed only. Inspect's `NetworkSettings.Ports`. */
export type PortMap = Readonly<
  Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
>;

/** What a container that starts needs of the network. */
export interface AttachRequest {
  /** Of the container: 64 hex digits. */
  readonly id: string;
  /** Without slash. */
  readonly name: string;
  readonly hostname: string;
  readonly domainname?: string;
  /** `HostConfig.NetworkMode`: "", `default`, `bridge`, `host`, `none`, a network's name or id. Not `container:…`. */
  readonly mode: string;
  /** By name or id of the network; the one of `mode` is added if it is not among them. */
  readonly endpoints?: Readonly<Record<string, EndpointRequest | null>>;
  /** `Config.MacAddress`, of clients before 1.44: for the endpoint of `mode`. */
  readonly macAddress?: string;
  /** `HostConfig.Links`; on the default bridge they go to /etc/hosts. */
  readonly links?: readonly string[];
  /** `HostConfig.PortBindings`; keys without protocol are tcp. */
  readonly portBindings?: Readonly<Record<string, readonly PortBinding[] | null>> | null;
  /** Keys of `Config.ExposedPorts`, the image's included. */
  readonly exposedPorts?: readonly string[];
  readonly publishAll?: boolean;
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** `name:address`; the address `host-gateway` is the default bridge's. */
  readonly extraHosts?: readonly string[];
  /** Of the container's labels; for events. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Attachment {
  /** Prepare operations, to go after `clone` (new net namespace) and before the root file system is entered. */
  readonly ops: readonly Op[];
  /** By network name. */
  readonly endpoints: Readonly<Record<string, EndpointState>>;
  readonly ports: PortMap;
  /** True for `host`: the container stays in the engine's network namespace, no `clone` of net. */
  readonly hostNamespace: boolean;
  /** Inspect's `NetworkSettings.SandboxID`. */
  readonly sandboxId: string;
  /** Contents of /etc/hosts, /etc/resolv.conf and /etc/hostname. */
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostnameFile: string;
}

/** A container's live endpoint, as the Containers field of an inspected network shows it. */
export interface NetworkContainer {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

/** What inspect shows of a running container's networks. */
export interface LiveAttachment {
  readonly endpoints: Readonly<Record<string, EndpointState>>;
  readonly ports: PortMap;
  readonly sandboxId: string;
}
