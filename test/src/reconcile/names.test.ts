import { suite } from "uvu";
import * as assert from "uvu/assert";
import { containerName, imageOf, oneOffName } from "../../../src/reconcile/names.ts";
import { project } from "../project.ts";

const names = suite("reconcile/names");

for (const [environment, expected] of [
  [{}, ["shop-web-2", "shop-web-run-abc", "shop-web", "mine"]],
  [{ COMPOSE_COMPATIBILITY: "true" }, ["shop_web_2", "shop_web_run_abc", "shop_web", "mine"]],
  [{ COMPOSE_COMPATIBILITY: "0" }, ["shop-web-2", "shop-web-run-abc", "shop-web", "mine"]],
] as const) {
  names(`${JSON.stringify(environment)} gives ${expected[0]}`, () => {
    const web = { image: undefined as never, build: {} };
    const shop = project({ web, db: { container_name: "mine" } }, { environment });
    assert.equal(
      [
        containerName(shop, "web", 2),
        oneOffName(shop, "web", "abc"),
        imageOf(shop, shop.services["web"]!),
        containerName(shop, "db", 1),
      ],
      expected,
    );
  });
}

names.run();
