import { suite } from "uvu";
import * as assert from "uvu/assert";
import { buildGraph } from "../../../src/graph/graph.ts";
import { levels } from "../../../src/graph/order.ts";
import { checkServices, nearest, withDependencies, withDependents } from "../../../src/graph/walk.ts";
import { needs, project } from "../project.ts";

const order = suite("graph/order and walk");

const shop = buildGraph(
  project({
    web: { depends_on: needs({ api: "service_started" }) },
    api: { depends_on: needs({ db: "service_healthy", migrate: "service_completed_successfully" }) },
    migrate: { depends_on: needs({ db: "service_healthy" }) },
    cache: {},
    db: {},
  }),
);

order("levels need only the ones before them", () => {
  assert.equal(levels(shop), [["cache", "db"], ["migrate"], ["api"], ["web"]]);
});

order("a named service brings what it needs, in the order of the file", () => {
  assert.equal(withDependencies(shop, ["migrate"]), ["migrate", "db"]);
  assert.equal(withDependencies(shop, []), ["web", "api", "migrate", "cache", "db"]);
});

order("and, the other way, what needs it", () => {
  assert.equal(withDependents(shop, ["migrate"]), ["web", "api", "migrate"]);
});

order("an unknown name is refused with the likely one", () => {
  assert.throws(() => checkServices(shop, ["cahce"]), /no such service: cahce; did you mean "cache"\?/);
});

for (const [word, expected] of [
  ["wbe", "web"],
  ["migrat", "migrate"],
  ["zzz", undefined],
] as const) {
  order(`"${word}" most likely means ${expected}`, () => {
    assert.is(nearest(word, ["web", "api", "migrate"]), expected);
  });
}

order.run();
