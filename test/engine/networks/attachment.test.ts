import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatAddress } from "../../../engine/networks/address.ts";
import {
  type AttachmentRecord,
  forwardsOf,
  launchOps,
  portMap,
} from "../../../engine/networks/attachment.ts";
import { describeNetwork, predefinedNetwork } from "../../../engine/networks/create.ts";
import type { Endpoint } from "../../../engine/networks/endpoint.ts";
import { hostsFile } from "../../../engine/networks/hostsfile.ts";
import type { NetworkRecord } from "../../../engine/networks/types.ts";

const attachment = suite("engine/networks/attachment");

const inUse = { networks: [], machine: [] };
const [alpha, beta, inside] = [
  describeNetwork({ Name: "alpha" }, inUse),
  describeNetwork({ Name: "beta" }, inUse),
  describeNetwork({ Name: "aaa-inside", Internal: true }, inUse),
] as const;
const networks = [alpha, beta, inside];
const networkOf = ({ networkId }: Endpoint): NetworkRecord => networks.find(({ Id }) => Id === networkId)!;

function endpoint(network: NetworkRecord, name: string, address: string, GwPriority = 0): Endpoint {
  const gateway = network.Internal ? "" : "172.18.0.1";
  return {
    networkId: network.Id,
    endpointId: "e",
    request: { GwPriority },
    name,
    host: `veth-${name}`,
    mac: "02:42:ac:12:00:02",
    addresses: [{ address, length: 16, gateway }],
    dnsNames: ["web"],
  };
}

function record(endpoints: readonly Endpoint[], more: Partial<AttachmentRecord> = {}): AttachmentRecord {
  const nothing = { ports: [], portKeys: [], dns: undefined, resolver: {} };
  return { id: "c", name: "web", hostname: "web", sandboxId: "s", endpoints, ...nothing, ...more };
}

const tools = { networkOf, table: "slipway", resolver: "/run/resolver", ipv6: true };
const dns = { port: 40000, servers: [], aliases: [] };
const http = { protocol: "tcp", port: 80, hostAddress: "0.0.0.0", hostPort: 8080 } as const;
const local = { ...http, hostAddress: "127.0.0.1", hostPort: 8081 };
const names = (ops: ReturnType<typeof launchOps>): string =>
  ops.map((op) => ("protocol" in op && op.protocol === 12 ? `${op.op}(nft)` : op.op)).join(" ");

attachment("without a network there is loopback alone", () => {
  const none = { ...endpoint(alpha, "eth0", "172.18.0.2"), host: "", addresses: [] };
  assert.is(names(launchOps(record([none]), tools)), "netSetting");
});

attachment("links come before names, names before ports", () => {
  const one = record([endpoint(alpha, "eth0", "172.18.0.2")], { dns, ports: [http] });
  assert.is(
    names(launchOps(one, tools)),
    [
      "netSetting", // no IPv6
      "hostNetlink hostNetlink containerNetlink", // veth, its port's settings, the container's side
      "dns containerNetlink(nft)",
      "forward hostNetlink(nft)",
    ].join(" "),
  );
});

attachment("without nftables the resolver has port 53, and the monitor forwards alone", () => {
  const one = record([endpoint(alpha, "eth0", "172.18.0.2")], { dns, ports: [http] });
  const ops = launchOps(one, { ...tools, table: undefined, ipv6: false });
  assert.is(names(ops), "hostNetlink hostNetlink containerNetlink dns forward");
  assert.equal(
    ops.find(({ op }) => op === "dns"),
    { op: "dns", path: "/run/resolver", port: 53 },
  );
});

attachment("ports lead to the network of the default route; loopback's are left to the monitor", () => {
  const target = (...endpoints: readonly Endpoint[]): string[] =>
    forwardsOf(record(endpoints, { ports: [http, local] }), networkOf).map(({ address }) =>
      formatAddress(address),
    );
  const [a, b, i] = [
    endpoint(alpha, "eth1", "172.18.0.2"),
    endpoint(beta, "eth0", "172.19.0.2"),
    endpoint(inside, "eth2", "172.20.0.2"),
  ];
  assert.equal(target(b, i, a), ["172.18.0.2"], "by name");
  assert.equal(target(a, i, endpoint(beta, "eth0", "172.19.0.2", 1)), ["172.19.0.2"], "by priority");
  assert.equal(target(i), [], "an internal network has no way in");
});

attachment("the monitor listens on all of them", () => {
  const one = record([endpoint(alpha, "eth0", "172.18.0.2")], { ports: [http, local] });
  const forward = launchOps(one, tools).find(({ op }) => op === "forward");
  assert.equal(forward, {
    op: "forward",
    rules: "tcp 0.0.0.0 8080 172.18.0.2 80\ntcp 127.0.0.1 8081 172.18.0.2 80\n",
  });
});

attachment("inspect shows exposed ports as null", () => {
  const more = { ports: [http], portKeys: ["80/tcp", "81/tcp"] };
  assert.equal(portMap(record([endpoint(alpha, "eth0", "172.18.0.2")], more), tools.networkOf), {
    "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }],
    "81/tcp": null,
  });
  assert.equal(portMap(record([], more), tools.networkOf), {}, "off its networks");
});

attachment("/etc/hosts has the user's lines, links of the default bridge, and the container's own", () => {
  const bridge = predefinedNetwork("bridge", "bridge", "slipway0", inUse);
  const on = (address: string): Endpoint => ({ ...endpoint(bridge, "eth0", address), networkId: bridge.Id });
  const db = { ...record([on("172.17.0.2")]), id: "d".repeat(64), name: "db", hostname: "dbhost" };
  const request = {
    ...{ id: "c", name: "web", hostname: "web", domainname: "example.com", mode: "bridge" },
    extraHosts: ["gate:host-gateway", "other:10.0.0.9"],
    links: ["/db:/web/database", "nobody:x"],
  };
  const context = { networkOf: () => bridge, gateway: "172.17.0.1", others: [db] };
  assert.equal(
    hostsFile(request, record([on("172.17.0.3")]), context)
      .split("\n")
      .slice(6),
    [
      "172.17.0.1\tgate",
      "10.0.0.9\tother",
      "172.17.0.2\tdatabase dbhost db",
      "172.17.0.3\tweb.example.com web",
      "",
    ],
  );
  assert.throws(
    () => hostsFile({ ...request, extraHosts: ["x"] }, record([]), context),
    /bad format for add-host: "x"/,
  );
});

attachment.run();
