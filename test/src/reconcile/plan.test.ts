import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError } from "../../../src/errors.ts";
import { buildGraph } from "../../../src/graph/graph.ts";
import type { Project } from "../../../src/model/types.ts";
import type { Observed } from "../../../src/reconcile/observed.ts";
import { PLAN_DEFAULTS, type PlanOptions } from "../../../src/reconcile/options.ts";
import { planUp } from "../../../src/reconcile/plan.ts";
import { printPlan, printSteps } from "../../../src/reconcile/print.ts";
import { afterUp, NOTHING } from "../observed.ts";
import { needs, project } from "../project.ts";

const plan = suite("reconcile/plan");

function steps(wanted: Project, observed: Observed, options: Partial<PlanOptions> = {}): string[] {
  return printSteps(planUp(buildGraph(wanted), observed, { ...PLAN_DEFAULTS, ...options }).steps).split("\n");
}

function decisions(wanted: Project, observed: Observed, options: Partial<PlanOptions> = {}): string[] {
  return printPlan(planUp(buildGraph(wanted), observed, { ...PLAN_DEFAULTS, ...options })).split("\n");
}

plan("the first up makes networks and volumes, creates everything, and starts as conditions allow", () => {
  const shop = project(
    {
      web: { depends_on: needs({ api: "service_started" }) },
      api: { depends_on: needs({ db: "service_healthy", migrate: "service_completed_successfully" }) },
      migrate: { depends_on: needs({ db: "service_healthy" }) },
      db: {
        healthcheck: { test: ["CMD", "true"] },
        volumes: [{ type: "volume", source: "data", target: "/data" }],
      },
    },
    { volumes: { data: { name: "shop_data" } } },
  );
  assert.equal(steps(shop, NOTHING), [
    "[] #1 createNetwork shop_default: absent",
    "[] #2 createVolume shop_data: absent",
    "[1,2] #3 createContainer db-1: absent",
    "[3] #4 startContainer db-1: absent",
    "[1] #5 createContainer migrate-1: absent",
    "[4] #6 awaitService db service_healthy: migrate needs it",
    "[5,6] #7 startContainer migrate-1: absent",
    "[1] #8 createContainer api-1: absent",
    "[7] #9 awaitService migrate service_completed_successfully: api needs it",
    "[6,8,9] #10 startContainer api-1: absent",
    "[1] #11 createContainer web-1: absent",
    "[10,11] #12 startContainer web-1: absent",
  ]);
});

const pair = project({ web: { environment: { LOG: "info" } }, db: {} });

plan("a second up has nothing to do, and says so", () => {
  assert.equal(decisions(pair, afterUp(pair)), [
    " = web-1  unchanged  running",
    " = db-1   unchanged  running",
    " nothing to do",
  ]);
});

plan("a changed service alone is recreated, beside the old container, with the field that changed", () => {
  const changed = project({ web: { environment: { LOG: "debug" } }, db: {} });
  assert.equal(decisions(changed, afterUp(pair)), [
    " ~ web-1  recreate   environment.LOG info → debug",
    " = db-1   unchanged  running",
    " 1 recreate, 1 unchanged",
  ]);
  assert.equal(
    steps(changed, afterUp(pair)).map((line) => line.replace(/:.*/, "")),
    [
      "[] #1 createContainer web-1",
      "[1] #2 stopContainer web-1",
      "[2] #3 removeContainer web-1",
      "[1,3] #4 renameContainer web-1",
      "[1,3,4] #5 startContainer web-1",
    ],
  );
});

for (const [what, change, why] of [
  ["an exited container", { state: "exited", exitCode: 3 }, " ▶ web-1  start      exited (3)"],
  ["a paused container", { state: "paused" }, " ▶ web-1  start      paused"],
  ["a newer image", { image: "sha256:b0" }, " ~ web-1  recreate   image busybox is another now: b0 → b1"],
  ["a container taken off a network", { networks: [] }, " ~ web-1  recreate   not connected to shop_default"],
  [
    "a container of docker compose",
    { definition: undefined },
    " ~ web-1  recreate   made by another tool, with settings unknown here",
  ],
] as const) {
  plan(`${what} is seen`, () => {
    assert.is(decisions(pair, afterUp(pair, { "web-1": change }))[0], why);
  });
}

plan("start-first: the new container is ready before the old one stops, one after the other", () => {
  const deploy = { update_config: { order: "start-first", parallelism: 1 } } as const;
  const before = project({ web: { scale: 2, deploy } });
  const after = project({ web: { scale: 2, deploy, command: ["new"] } });
  assert.equal(
    steps(after, afterUp(before)).map((line) => line.replace(/:.*/, "")),
    [
      "[] #1 createContainer web-1",
      "[1] #2 startContainer web-1",
      "[2] #3 awaitContainer web-1",
      "[1,3] #4 stopContainer web-1",
      "[4] #5 removeContainer web-1",
      "[1,3,5] #6 renameContainer web-1",
      "[6] #7 createContainer web-2",
      "[7] #8 startContainer web-2",
      "[8] #9 awaitContainer web-2",
      "[7,9] #10 stopContainer web-2",
      "[10] #11 removeContainer web-2",
      "[7,9,11] #12 renameContainer web-2",
    ],
  );
});

plan("start-first cannot be where both need the same port", () => {
  const deploy = { update_config: { order: "start-first" } } as const;
  const ports = [{ target: 80, published: "8080" }];
  const changed = project({ web: { deploy, ports, command: ["new"] } });
  const kinds = steps(changed, afterUp(project({ web: { deploy, ports } }))).map(
    (line) => line.split(" ")[2],
  );
  assert.ok(kinds.indexOf("stopContainer") < kinds.indexOf("startContainer"));
});

plan("what a broken-off replacement left is removed, or takes the place of what is gone", () => {
  const only = project({ web: {} });
  const [old] = afterUp(only).containers;
  const passing = { ...old!, id: "new", name: "0123456789ab_shop-web-1", state: "created" } as const;
  const both = { ...afterUp(only), containers: [passing, old!] };
  assert.equal(decisions(only, both).slice(0, 2), [
    " - web-1  remove     left over from a replacement that was broken off",
    " = web-1  unchanged  running",
  ]);
  assert.equal(
    steps(only, { ...both, containers: [passing] }).map((line) => line.replace(/:.*/, "")),
    ["[] #1 renameContainer web-1", "[] #2 startContainer web-1"],
  );
});

plan("dependents with restart: true go down before and come up after", () => {
  const before = project({ db: {}, web: { depends_on: needs({ db: "service_started" }, true) } });
  const after = project({
    db: { command: ["new"] },
    web: { depends_on: needs({ db: "service_started" }, true) },
  });
  assert.equal(
    steps(after, afterUp(before)).map((line) => line.replace(/:.*/, "")),
    [
      "[] #1 createContainer db-1",
      "[] #2 stopContainer web-1",
      "[1,2] #3 stopContainer db-1",
      "[3] #4 removeContainer db-1",
      "[1,4] #5 renameContainer db-1",
      "[1,4,5] #6 startContainer db-1",
      "[2,6] #7 startContainer web-1",
    ],
  );
});

plan("a service in another's namespace is recreated with it", () => {
  const before = project({ vpn: {}, web: { network_mode: "service:vpn", networks: {} } });
  const after = project({ vpn: { command: ["new"] }, web: { network_mode: "service:vpn", networks: {} } });
  assert.match(
    decisions(after, afterUp(before))[1]!,
    "recreate   vpn, whose namespace it shares, is recreated",
  );
});

plan("a job that has completed stays done; another exited service is started again", () => {
  const jobs = project({
    migrate: {},
    echo: {},
    web: { depends_on: needs({ migrate: "service_completed_successfully" }) },
  });
  const done = { state: "exited", exitCode: 0 } as const;
  assert.equal(decisions(jobs, afterUp(jobs, { "migrate-1": done, "echo-1": done })), [
    " = migrate-1  unchanged  completed",
    " ▶ echo-1     start      exited (0)",
    " = web-1      unchanged  running",
    " 1 start, 2 unchanged",
  ]);
});

plan("a completed job that is named runs again", () => {
  const jobs = project({
    migrate: {},
    web: { depends_on: needs({ migrate: "service_completed_successfully" }) },
  });
  const observed = afterUp(jobs, { "migrate-1": { state: "exited", exitCode: 0 } });
  assert.is(decisions(jobs, observed, { services: ["migrate"] })[0], " ▶ migrate-1  start      exited (0)");
});

plan("scaling down removes the highest numbers, scaling up continues after them", () => {
  const three = project({ web: { scale: 3 } });
  assert.equal(
    decisions(project({ web: {} }), afterUp(three)).filter((line) => !line.startsWith(" =")),
    [
      " - web-2  remove     more than asked for",
      " - web-3  remove     more than asked for",
      " 2 remove, 1 unchanged",
    ],
  );
  assert.match(decisions(pair, afterUp(pair), { scale: { web: 2 } }).join("\n"), "+ web-2  create");
});

plan("a changed network is made anew, with its containers", () => {
  const inside = project({ web: {} }, { networks: { default: { name: "shop_default", internal: true } } });
  assert.equal(
    steps(inside, afterUp(project({ web: {} }))).map((line) => line.replace(/:.*/, "")),
    [
      "[] #1 stopContainer web-1",
      "[1] #2 removeContainer web-1",
      "[2] #3 removeNetwork shop_default",
      "[3] #4 createNetwork shop_default",
      "[2,4] #5 createContainer web-1",
      "[2,5] #6 startContainer web-1".replace("[2,5]", "[5]"),
    ],
  );
});

plan("what is left over is named, and removed when asked", () => {
  const only = project({ web: {} });
  const { warnings } = planUp(buildGraph(only), afterUp(pair), PLAN_DEFAULTS);
  assert.match(warnings.join(), "shop-db-1: no service of the file any more");
  assert.match(decisions(only, afterUp(pair), { removeOrphans: true }).join("\n"), "- db-1   remove");
});

plan("settings of the environment decide on what is left over, too", () => {
  const withSetting = (name: string) =>
    planUp(
      buildGraph(project({ web: {} }, { environment: { [name]: "true" } })),
      afterUp(pair),
      PLAN_DEFAULTS,
    );
  assert.equal(withSetting("COMPOSE_IGNORE_ORPHANS").warnings, []);
  assert.match(printPlan(withSetting("COMPOSE_REMOVE_ORPHANS")), "- db-1   remove");
});

plan("an external network that is missing is refused before anything is done", () => {
  const outside = project({ web: {} }, { networks: { default: { name: "lan", external: true } } });
  assert.throws(
    () => steps(outside, NOTHING),
    (error: unknown) => error instanceof AppError && error.code === "EXTERNAL_MISSING",
  );
});

plan("force recreates the named services, and dependencies only when they differ", () => {
  const shop = project({ web: { depends_on: needs({ db: "service_started" }) }, db: {} });
  assert.equal(decisions(shop, afterUp(shop), { services: ["web"], recreate: "force" }), [
    " = db-1   unchanged  running",
    " ~ web-1  recreate   asked for by --force-recreate",
    " 1 recreate, 1 unchanged",
  ]);
});

const shown = (lines: readonly string[]): string[] =>
  lines.filter((line) => /runInit|startContainer/.test(line)).map((line) => line.replace(/:.*/, ""));

plan("steps of pre_start run in order, once for a service, and before any of its containers", () => {
  const shop = project({ web: { scale: 2, pre_start: [{ command: ["a"] }, { command: ["b"] }] } });
  assert.equal(shown(steps(shop, NOTHING)), [
    "[2] #3 runInit web-1",
    "[3] #4 runInit web-1",
    "[4] #5 startContainer web-1",
    "[4,6] #7 startContainer web-2",
  ]);
});

plan("what is per_replica runs for each container, and nothing runs again for more of them", () => {
  const each = project({
    web: { scale: 2, pre_start: [{ command: ["a"] }, { command: ["b"], per_replica: true }] },
  });
  assert.equal(
    shown(steps(each, NOTHING)).map((line) => line.split(" ").slice(2).join(" ")),
    ["runInit web-1", "runInit web-1", "startContainer web-1", "runInit web-2", "startContainer web-2"],
  );
  const one = project({ web: { pre_start: [{ command: ["a"] }] } });
  const more = project({ web: { scale: 2, pre_start: [{ command: ["a"] }] } });
  assert.equal(
    shown(steps(more, afterUp(one))).map((line) => line.split(" ").slice(2).join(" ")),
    ["startContainer web-2"],
  );
});

plan.run();
