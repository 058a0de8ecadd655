import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError } from "../../../src/errors.ts";
import { buildGraph } from "../../../src/graph/graph.ts";
import { needs, project } from "../project.ts";

const cycle = suite("graph/cycle");

function refusal(work: () => unknown): AppError {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

cycle("a cycle is shown as a path with places, and the hint names an edge to drop", () => {
  const at = (line: number) => ({ file: "/shop/compose.yaml", line, column: 5 });
  const error = refusal(() =>
    buildGraph(
      project(
        {
          lone: {},
          a: { depends_on: needs({ b: "service_healthy" }) },
          b: { depends_on: needs({ c: "service_healthy" }) },
          c: { depends_on: needs({ a: "service_started" }) },
        },
        {},
        {
          "services.a.depends_on.b": at(3),
          "services.b.depends_on.c": at(6),
          "services.c.depends_on.a": at(9),
        },
      ),
    ),
  );
  assert.is(error.code, "DEPENDENCY_CYCLE");
  assert.is(error.message, "services depend on each other in a circle: a (3:5) → b (6:5) → c (9:5) → a");
  assert.is(error.hint, "Drop one of them, such as c → a.");
  assert.equal(error.at, at(3));
});

cycle("a service that needs itself is a cycle", () => {
  const error = refusal(() => buildGraph(project({ a: { network_mode: "service:a" } })));
  assert.match(error.message, "a → a");
});

cycle("a diamond is none", () => {
  buildGraph(
    project({
      a: { depends_on: needs({ b: "service_started", c: "service_started" }) },
      b: { depends_on: needs({ d: "service_started" }) },
      c: { depends_on: needs({ d: "service_started" }) },
      d: {},
    }),
  );
});

cycle.run();
