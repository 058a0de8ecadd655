import { suite } from "uvu";
import * as assert from "uvu/assert";
import { inMemory } from "./memory.ts";

const library = suite("slipway/model");

library("is the loader by itself, as a package's import", async () => {
  const { load, renderProject, selectServices, toYaml } = await import("slipway/model");
  const files = inMemory("/shop", { "compose.yaml": "services: {web: {image: i}, job: {image: j}}" });
  const project = await load({ cwd: "/shop", env: {} }, files);
  const text = toYaml(renderProject(selectServices(project, ["web"])));
  assert.is(
    text,
    [
      "name: shop",
      "services:",
      "  web:",
      "    image: i",
      "    networks:",
      "      default: null",
      "networks:",
      "  default:",
      "    name: shop_default",
      "",
    ].join("\n"),
  );
});

library.run();
