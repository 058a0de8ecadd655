import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { NetlinkBatch } from "../../../engine/native/protocol.ts";
import { parseAddress, parsePrefix } from "../../../engine/networks/address.ts";
import { addForwards, redirectDns, replaceTable } from "../../../engine/networks/firewall.ts";
import { configure, createVeth, macOf } from "../../../engine/networks/links.ts";

const nft = suite("engine/networks/nft");

/** Each message as `type/flags length`, its length checked against what is there. */
function messages({ messages: bytes }: NetlinkBatch): string[] {
  const buffer = Buffer.from(bytes);
  const found: string[] = [];
  for (let at = 0; at < buffer.length; ) {
    const length = buffer.readUInt32LE(at);
    assert.ok(length >= 16 && at + length <= buffer.length, `message at ${at} of ${length} bytes`);
    found.push(`${buffer.readUInt16LE(at + 4).toString(16)}/${buffer.readUInt16LE(at + 6).toString(16)}`);
    at += (length + 3) & ~3;
  }
  return found;
}

nft("a transaction is framed as one batch of nftables messages", () => {
  const address = parseAddress("172.18.0.2")!;
  const forward = { protocol: "tcp", hostAddress: undefined, hostPort: 8080, address, port: 80 } as const;
  assert.equal(messages(addForwards("slipway", 4, [forward])), ["10/1", "a0c/401", "11/1"]);
});

nft("an element has protocol and port as its key, address and port as its data", () => {
  const address = parseAddress("172.18.0.2")!;
  const forward = { protocol: "tcp", hostAddress: undefined, hostPort: 8080, address, port: 80 } as const;
  const hex = Buffer.from(addForwards("slipway", 4, [forward]).messages).toString("hex");
  assert.ok(hex.includes("06000000" + "1f900000"), "tcp . 8080");
  assert.ok(hex.includes("ac120002" + "00500000"), "172.18.0.2 . 80");
  assert.ok(hex.includes(Buffer.from("ports\0").toString("hex")));
});

nft("a port on one address goes to the other map", () => {
  const [address, hostAddress] = [parseAddress("172.18.0.2")!, parseAddress("10.9.0.1")!];
  const forward = { protocol: "udp", hostAddress, hostPort: 53, address, port: 53 } as const;
  const hex = Buffer.from(addForwards("slipway", 4, [forward]).messages).toString("hex");
  assert.ok(hex.includes("11000000" + "0a090001" + "00350000"), "udp . 10.9.0.1 . 53");
  assert.ok(hex.includes(Buffer.from("address_ports\0").toString("hex")));
});

nft("the table is emptied and filled in one transaction", () => {
  const zone = {
    bridge: "br-1",
    subnets: [parsePrefix("172.18.0.0/16")!],
    internal: false,
    masquerade: true,
  };
  const [begin, create, destroy, again, ...rest] = messages(replaceTable("slipway", 4, [zone], []));
  assert.equal([begin, create, destroy, again], ["10/1", "a00/401", "a02/1", "a00/401"]);
  assert.is(rest.at(-1), "11/1");
  assert.is(rest.filter((one) => one === "a03/401").length, 4, "chains");
  assert.is(rest.filter((one) => one === "a06/c01").length, 12, "rules");
});

nft("an internal network is not masqueraded", () => {
  const zone = { bridge: "br-1", subnets: [parsePrefix("172.18.0.0/16")!], internal: true, masquerade: true };
  assert.is(messages(replaceTable("slipway", 4, [zone], [])).filter((one) => one === "a06/c01").length, 10);
});

nft("questions to the resolver are sent on over both protocols", () => {
  assert.equal(messages(redirectDns(40000)), ["10/1", "a00/401", "a03/401", "a06/c01", "a06/c01", "11/1"]);
});

nft("a veth pair leaves the bridge and the container's namespace open", () => {
  const veth = { host: "veth1", name: "eth0", mac: "02:42:ac:12:00:02", mtu: 1500, bridge: "br-1" };
  const [made, ...none] = createVeth({ ...veth, isolated: false, hairpin: false });
  assert.is(none.length, 0);
  const patches = Buffer.from(made!.patches);
  const kinds = [0, 24].map((at) => [patches.readUInt32LE(at), patches.toString("latin1", at + 8, at + 12)]);
  assert.equal(kinds, [
    [1, "br-1"],
    [2, "\0\0\0\0"],
  ]);
  // Patched bytes are zero and inside of the message.
  for (const at of [0, 24])
    assert.is(Buffer.from(made!.messages).readUInt32LE(patches.readUInt32LE(at + 4)), 0);
  assert.is(createVeth({ ...veth, isolated: true, hairpin: false }).length, 2);
});

nft("a link is brought up before it gets addresses, and routes come last", () => {
  const address = { address: parseAddress("172.18.0.2")!, length: 16 };
  assert.equal(messages(configure("eth0", [address], [parseAddress("172.18.0.1")!])), [
    "10/1",
    "14/501",
    "18/501",
  ]);
});

nft("a MAC address follows from the address", () => {
  assert.is(macOf(parseAddress("172.18.0.2")!), "02:42:ac:12:00:02");
});

nft.run();
