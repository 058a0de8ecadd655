import { suite } from "uvu";
import * as assert from "uvu/assert";
import { buildGraph, narrow } from "../../../src/graph/graph.ts";
import { needs, project } from "../project.ts";

const graph = suite("graph/graph");

graph("explicit and implicit dependencies become edges; the explicit one wins", () => {
  const { edges } = buildGraph(
    project({
      db: {},
      cache: {},
      net: {},
      web: {
        depends_on: needs({ db: "service_healthy" }),
        links: ["db:database", "cache"],
        network_mode: "service:net",
        volumes_from: ["cache:ro", "container:other"],
      },
    }),
  );
  assert.equal(
    edges.map(({ to, condition, restart }) => `${to} ${condition} ${restart}`),
    ["db service_healthy false", "cache service_started false", "net service_started true"],
  );
});

graph("an optional dependency on a service that is not enabled is left out", () => {
  const optional = { debug: { condition: "service_started", required: false } } as const;
  assert.equal(buildGraph(project({ web: { depends_on: optional } })).edges, []);
});

graph("a narrowed graph keeps only edges between what is left", () => {
  const whole = buildGraph(
    project({
      a: {},
      b: { depends_on: needs({ a: "service_started" }) },
      c: { depends_on: needs({ b: "service_started" }) },
    }),
  );
  const part = narrow(whole, ["b", "c"]);
  assert.equal(part.services, ["b", "c"]);
  assert.equal(
    part.edges.map((edge) => `${edge.from}→${edge.to}`),
    ["c→b"],
  );
});

graph.run();
