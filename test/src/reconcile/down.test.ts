import { suite } from "uvu";
import * as assert from "uvu/assert";
import { buildGraph } from "../../../src/graph/graph.ts";
import { type DownOptions, planDown, planStop } from "../../../src/reconcile/down.ts";
import { printSteps } from "../../../src/reconcile/print.ts";
import { afterUp } from "../observed.ts";
import { needs, project } from "../project.ts";

const down = suite("reconcile/down");

const shop = project(
  { web: { depends_on: needs({ db: "service_started" }) }, db: {} },
  { volumes: { data: { name: "shop_data" } } },
);
const nothing: DownOptions = {
  services: [],
  volumes: false,
  images: undefined,
  removeOrphans: false,
  timeout: undefined,
};
const steps = (options: Partial<DownOptions>, observed = afterUp(shop)): string[] =>
  printSteps(planDown(buildGraph(shop), observed, { ...nothing, ...options }).steps)
    .split("\n")
    .map((line) => line.replace(/:.*/, ""));

down("dependents stop first, networks go last, volumes stay", () => {
  assert.equal(steps({}), [
    "[] #1 stopContainer web-1",
    "[1] #2 removeContainer web-1",
    "[1] #3 stopContainer db-1",
    "[3] #4 removeContainer db-1",
    "[2,4] #5 removeNetwork shop_default",
  ]);
});

down("volumes and images go when asked", () => {
  assert.equal(steps({ volumes: true, images: "all" }).slice(-2), [
    "[2,4] #6 removeVolume shop_data",
    "[2,4] #7 removeImage busybox",
  ]);
});

down("a named service goes alone", () => {
  assert.equal(steps({ services: ["web"] }), ["[] #1 stopContainer web-1", "[1] #2 removeContainer web-1"]);
});

down("what does not run is not stopped, and holds nobody up", () => {
  const observed = afterUp(shop, { "web-1": { state: "exited", exitCode: 1 } });
  assert.equal(steps({}, observed).slice(0, 3), [
    "[] #1 removeContainer web-1",
    "[] #2 stopContainer db-1",
    "[2] #3 removeContainer db-1",
  ]);
});

down("stop leaves everything in place", () => {
  const plan = planStop(buildGraph(shop), afterUp(shop), 3);
  assert.is(printSteps(plan.steps), "[] #1 stopContainer web-1: stop\n[1] #2 stopContainer db-1: stop");
});

down.run();
