import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from "../../../engine/networks/address.ts";
import { AddressPool, choosePool, localPool, readPool } from "../../../engine/networks/ipam.ts";

const ipam = suite("engine/networks/ipam");

const prefixes = (...texts: string[]) => texts.map((text) => parsePrefix(text)!);

ipam("a network gets the first default subnet that overlaps with nothing", () => {
  const subnet = (...used: string[]): string => formatPrefix(choosePool(prefixes(...used)).subnet);
  assert.is(subnet(), "172.17.0.0/16");
  assert.is(subnet("172.17.0.0/16", "172.18.5.0/24"), "172.19.0.0/16");
  assert.is(subnet("172.16.0.0/12"), "192.168.0.0/20");
  assert.throws(
    () => choosePool(prefixes("172.16.0.0/12", "192.168.0.0/16")),
    /non-overlapping IPv4 address pool/,
  );
});

ipam("the gateway is the first address, or the one that was given", () => {
  assert.is(formatAddress(readPool({ Subnet: "10.1.0.0/24" }).gateway), "10.1.0.1");
  assert.is(formatAddress(readPool({ Subnet: "10.1.0.0/24", Gateway: "10.1.0.254" }).gateway), "10.1.0.254");
});

for (const [given, why] of [
  [{ Subnet: "10.1.0.5/24" }, /it should be 10\.1\.0\.0\/24/],
  [{ Subnet: "10.1.0.0" }, /invalid CIDR block/],
  [{ Subnet: "../../etc" }, /invalid CIDR block/],
  [{ Subnet: "10.1.0.0/24", Gateway: "10.2.0.1" }, /doesn't contain this address/],
  [{ Subnet: "10.1.0.0/24", IPRange: "10.1.0.0/16" }, /doesn't contain ip-range/],
  [{ Subnet: "10.1.0.0/24", AuxiliaryAddresses: { router: "10.9.9.9" } }, /doesn't contain this address/],
] as const) {
  ipam(`${JSON.stringify(given)} is refused`, () => assert.throws(() => readPool(given), why));
}

ipam("the same network always gets the same local subnet", () => {
  const id = "0123456789abcdef".repeat(4);
  assert.is(formatPrefix(localPool(id).subnet), "fd01:2345:6789:abcd::/64");
});

function pool(given: Parameters<typeof readPool>[0]) {
  const clock = { now: 0 };
  const addresses = new AddressPool(readPool(given), () => clock.now);
  return {
    clock,
    addresses,
    take: () => formatAddress(addresses.take()),
    give: (text: string) => addresses.release(parseAddress(text)!),
  };
}

ipam("addresses are given out from the lowest, without network, gateway, reserved ones and broadcast", () => {
  const { take } = pool({ Subnet: "10.1.0.0/29", AuxiliaryAddresses: { printer: "10.1.0.3" } });
  assert.equal([take(), take(), take(), take()], ["10.1.0.2", "10.1.0.4", "10.1.0.5", "10.1.0.6"]);
  assert.throws(take, /no available IPv4 addresses/);
});

ipam("only the range is given out, but any address of the subnet can be asked for", () => {
  const { take, addresses } = pool({ Subnet: "10.1.0.0/24", IPRange: "10.1.0.128/31" });
  assert.is(formatAddress(addresses.takeThis(parseAddress("10.1.0.9")!)), "10.1.0.9");
  assert.equal([take(), take()], ["10.1.0.128", "10.1.0.129"]);
  assert.throws(take, /no available/);
  assert.throws(() => addresses.takeThis(parseAddress("10.1.0.9")!), /already in use/);
  assert.throws(() => addresses.takeThis(parseAddress("10.1.0.1")!), /already in use/);
  assert.throws(() => addresses.takeThis(parseAddress("10.2.0.1")!), /not in subnet/);
});

ipam("an address that was given back rests before it is given out again", () => {
  const { take, give, clock } = pool({ Subnet: "10.1.0.0/29" });
  assert.is(take(), "10.1.0.2");
  give("10.1.0.2");
  assert.is(take(), "10.1.0.3");
  clock.now = 6000;
  assert.is(take(), "10.1.0.2");
});

ipam("with no other address left, the one that rested longest is given out", () => {
  const { take, give, clock } = pool({ Subnet: "10.1.0.0/30" });
  assert.is(take(), "10.1.0.2");
  give("10.1.0.2");
  clock.now = 1;
  assert.is(take(), "10.1.0.2");
});

ipam("of a /31 both addresses can be used", () => {
  const { take } = pool({ Subnet: "10.1.0.0/31", Gateway: "10.1.0.0" });
  assert.is(take(), "10.1.0.1");
});

ipam.run();
