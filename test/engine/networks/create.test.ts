/** What of a network's options is refused, in Docker's words. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parsePrefix } from "../../../engine/networks/address.ts";
import { describeNetwork } from "../../../engine/networks/create.ts";

const create = suite("engine/networks/create");
const inUse = { networks: [{ name: "old", subnet: parsePrefix("10.1.0.0/16")! }], machine: [] };
const bridge = (option: string, value: string) => ({ Options: { [`com.docker.network.${option}`]: value } });

for (const [request, reason] of [
  [{ Driver: "nosuch" }, 'plugin "nosuch" not found'],
  [{ Driver: "macvlan" }, "the macvlan driver is not supported"],
  [{ Driver: "host" }, 'only one instance of "host" network is allowed'],
  [{ IPAM: { Driver: "nosuch" } }, 'plugin "nosuch" not found'],
  [{ IPAM: { Config: [{ Subnet: "10.1.2.0/24" }] } }, "Pool overlaps with other one on this address space"],
  [{ IPAM: { Config: [{ Gateway: "10.2.0.1" }] } }, "every gateway must be with a subnet"],
  [
    { IPAM: { Config: [{ Subnet: "10.2.0.0/24" }, { Subnet: "10.3.0.0/24" }] } },
    "bridge driver doesn't support multiple subnets",
  ],
  [bridge("bridge.enable_icc", "maybe"), 'strconv.ParseBool: parsing "maybe": invalid syntax'],
  [bridge("bridge.name", "sixteencharacter"), "invalid bridge name"],
  [bridge("container_iface_prefix", "a/b"), "invalid prefix of interfaces"],
  [bridge("driver.mtu", "67"), "invalid MTU"],
] as const) {
  create(`${JSON.stringify(request)} is refused`, () => {
    assert.throws(
      () => describeNetwork({ Name: "new", ...request }, inUse),
      (error: Error) => error.message.includes(reason),
    );
  });
}

create("one subnet a family is taken", () => {
  const Config = [{ Subnet: "10.2.0.0/24" }, { Subnet: "fd00::/64" }];
  const { IPAM } = describeNetwork({ Name: "new", EnableIPv6: true, IPAM: { Config } }, inUse);
  assert.equal(
    IPAM.Config.map(({ Subnet }) => Subnet),
    ["10.2.0.0/24", "fd00::/64"],
  );
});

create.run();
