import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Filters } from "../../../engine/filters.ts";
import { describeNetwork, predefinedNetwork } from "../../../engine/networks/create.ts";
import { resolveNetwork, selectNetworks } from "../../../engine/networks/select.ts";

const select = suite("engine/networks/select");

const inUse = { networks: [], machine: [] };
const bridge = { ...predefinedNetwork("bridge", "bridge", "slipway0", inUse), Id: `aa11${"0".repeat(60)}` };
const shop = {
  ...describeNetwork({ Name: "shop_default", Labels: { project: "shop" } }, inUse),
  Id: `aa22${"0".repeat(60)}`,
  Created: "2026-01-01T00:00:00.000000000Z",
};
const named = { ...describeNetwork({ Name: "aa1" }, inUse), Id: `bb${"0".repeat(62)}` };
const all = [bridge, shop, named];

for (const [reference, found] of [
  ["shop_default", "shop_default"],
  [shop.Id, "shop_default"],
  ["aa2", "shop_default"],
  ["aa1", "aa1"],
  ["aa11", "bridge"],
  ["nothing", undefined],
  ["", undefined],
] as const) {
  select(`${JSON.stringify(reference.slice(0, 12))} is ${found}`, () =>
    assert.is(resolveNetwork(all, reference)?.Name, found),
  );
}

select("a beginning that fits several is refused", () => {
  assert.throws(() => resolveNetwork(all, "aa"), /network aa is ambiguous \(2 matches found on ID prefix\)/);
});

for (const [filters, names] of [
  [{}, ["bridge", "shop_default", "aa1"]],
  [{ name: ["shop"] }, ["shop_default"]],
  [{ name: ["^aa1$", "bridge"] }, ["bridge", "aa1"]],
  [{ id: ["aa"] }, ["bridge", "shop_default"]],
  [{ type: ["builtin"] }, ["bridge"]],
  [{ type: ["custom"], label: ["project=shop"] }, ["shop_default"]],
  [{ dangling: ["true"] }, ["shop_default"]],
  [{ driver: ["host"] }, []],
  [{ until: ["2026-06-01T00:00:00Z"] }, ["shop_default"]],
] as const) {
  select(`${JSON.stringify(filters)} lets through ${names.join(", ")}`, () => {
    const found = selectNetworks(all, new Filters(filters), ({ Name }) => Name === "aa1");
    assert.equal(
      found.map(({ Name }) => Name),
      names,
    );
  });
}

select("values that cannot be read are refused", () => {
  assert.throws(() => selectNetworks(all, new Filters({ type: ["other"] }), () => false), /'type'='other'/);
  assert.throws(() => selectNetworks(all, new Filters({ until: ["soon"] }), () => false), /time or duration/);
});

select.run();
