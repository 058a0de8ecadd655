import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkNetworks } from "../../../engine/networks/checks.ts";

const checks = suite("engine/networks/checks");

for (const [nftables, docker, states] of [
  [true, false, "nftables ok, firewall ok"],
  [true, true, "nftables ok, firewall warn"],
  [false, false, "nftables warn, firewall ok"],
] as const) {
  checks(
    `${nftables ? "with" : "without"} nftables, ${docker ? "with" : "without"} Docker: ${states}`,
    async () => {
      const machine = { hasNftables: async () => nftables, hasDockerFirewall: async () => docker };
      const found = await checkNetworks(machine);
      assert.is(found.map(({ name, state }) => `${name} ${state}`).join(", "), states);
      for (const { state, hint } of found)
        assert.is(hint !== undefined, state === "warn", "a warning says what to do");
    },
  );
}

checks.run();
