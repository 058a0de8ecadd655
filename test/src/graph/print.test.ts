import { suite } from "uvu";
import * as assert from "uvu/assert";
import { buildGraph } from "../../../src/graph/graph.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { needs, project } from "../project.ts";

const print = suite("graph/print");

const shop = buildGraph(
  project({
    web: { depends_on: needs({ api: "service_started" }) },
    api: { depends_on: needs({ db: "service_healthy", migrate: "service_completed_successfully" }) },
    migrate: { depends_on: needs({ db: "service_healthy" }) },
    "my.cache": {},
    db: {},
  }),
);

print("a tree a service that nobody needs", () => {
  assert.is(
    printGraph(shop, "tree"),
    [
      "web",
      "└─ api (started)",
      "   ├─ db (healthy)",
      "   └─ migrate (completed)",
      "      └─ db (healthy)",
      "my.cache",
    ].join("\n"),
  );
});

print("what has branches of its own is shown once", () => {
  const twice = buildGraph(
    project({
      a: { depends_on: needs({ c: "service_started" }) },
      b: { depends_on: needs({ c: "service_started" }) },
      c: { depends_on: needs({ d: "service_started" }) },
      d: {},
    }),
  );
  assert.is(printGraph(twice, "tree"), "a\n└─ c (started)\n   └─ d (started)\nb\n└─ c (started, as above)");
});

print("mermaid and dot", () => {
  assert.match(printGraph(shop, "mermaid"), '  s3["my.cache"]');
  assert.match(printGraph(shop, "mermaid"), "  s1 -->|healthy| s4");
  assert.match(printGraph(shop, "dot"), '  "api" -> "db" [label="healthy"];');
});

print.run();
