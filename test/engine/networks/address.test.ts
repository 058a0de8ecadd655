import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  addressBytes,
  contains,
  formatAddress,
  formatPrefix,
  overlaps,
  parseAddress,
  parsePrefix,
} from "../../../engine/networks/address.ts";

const address = suite("engine/networks/address");

for (const [text, written] of [
  ["172.18.0.2", "172.18.0.2"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["FD00:0:0:1::2", "fd00:0:0:1::2"],
  ["fe80:0:0:0:0:0:0:1", "fe80::1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
  ["::ffff:1.2.3.4", "::ffff:102:304"],
] as const) {
  address(`${text} is ${written}`, () => assert.is(formatAddress(parseAddress(text)!), written));
}

for (const text of ["", "1.2.3", "1.2.3.256", "01.2.3.4", "fe80::1%eth0", "1::2::3", "name"]) {
  address(`${JSON.stringify(text)} is no address`, () => assert.is(parseAddress(text), undefined));
}

address("bytes are in network order", () => {
  assert.is(addressBytes(parseAddress("10.1.2.3")!).toString("hex"), "0a010203");
  assert.is(addressBytes(parseAddress("fd00::2")!).toString("hex"), "fd000000000000000000000000000002");
});

for (const [text, written] of [
  ["10.1.2.3/16", "10.1.0.0/16"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["10.1.2.3/32", "10.1.2.3/32"],
  ["fd12:3456::9/64", "fd12:3456::/64"],
] as const) {
  address(`${text} is in ${written}`, () => assert.is(formatPrefix(parsePrefix(text)!), written));
}

for (const text of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "fd00::/129", "10.0.0.0/8/8", "/8"]) {
  address(`${text} is no prefix`, () => assert.is(parsePrefix(text), undefined));
}

address("a prefix ends where the next begins", () => {
  const prefix = parsePrefix("10.1.0.0/16")!;
  assert.ok(contains(prefix, parseAddress("10.1.255.255")!));
  assert.not.ok(contains(prefix, parseAddress("10.2.0.0")!));
  assert.not.ok(contains(prefix, parseAddress("::a01:1")!));
});

for (const [a, b, yes] of [
  ["10.1.0.0/16", "10.1.128.0/17", true],
  ["10.1.128.0/17", "10.0.0.0/8", true],
  ["10.1.0.0/16", "10.2.0.0/16", false],
  ["::/0", "0.0.0.0/0", false],
] as const) {
  address(`${a} and ${b} ${yes ? "overlap" : "do not overlap"}`, () =>
    assert.is(overlaps(parsePrefix(a)!, parsePrefix(b)!), yes),
  );
}

address.run();
