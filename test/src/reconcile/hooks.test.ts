import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError } from "../../../src/errors.ts";
import { buildGraph } from "../../../src/graph/graph.ts";
import { runHook } from "../../../src/reconcile/hooks.ts";
import { PLAN_DEFAULTS } from "../../../src/reconcile/options.ts";
import { planUp } from "../../../src/reconcile/plan.ts";
import { printSteps } from "../../../src/reconcile/print.ts";
import { fakeEngine } from "../engine.ts";
import { afterUp, NOTHING } from "../observed.ts";
import { needs, project } from "../project.ts";

const hooks = suite("reconcile/hooks");

hooks("hooks run after the start, one by one, and what depends on the service waits for them", () => {
  const shop = project({
    db: { post_start: [{ command: ["a"] }, { command: ["b"] }] },
    web: { depends_on: needs({ db: "service_started" }) },
  });
  const steps = printSteps(planUp(buildGraph(shop), NOTHING, PLAN_DEFAULTS).steps).split("\n");
  assert.equal(
    steps.slice(2, 5).map((line) => line.replace(/:.*/, "")),
    ["[2] #3 startContainer db-1", "[3] #4 runHook db-1", "[4] #5 runHook db-1"],
  );
  assert.match(steps.at(-1)!, /^\[5,6\] #7 startContainer web-1/);
});

hooks("and before a stop", () => {
  const before = project({ db: { pre_stop: [{ command: ["flush"] }] } });
  const after = project({ db: { pre_stop: [{ command: ["flush"] }], command: ["new"] } });
  const steps = printSteps(planUp(buildGraph(after), afterUp(before), PLAN_DEFAULTS).steps);
  assert.match(steps, /#2 runHook db-1: pre_stop\n\[2\] #3 stopContainer db-1/);
});

const engine = (code: number) =>
  fakeEngine({
    createExec: async () => "e1",
    startExec: async () => ({
      connection: undefined as never,
      output: (async function* () {
        yield { stream: "stdout" as const, data: Buffer.from("no disk\n") };
      })(),
    }),
    inspectExec: async () => ({ ExitCode: code }) as never,
  });
const place = { service: "db", number: 1, index: 0 } as const;

hooks("one that fails after the start is an error with what it said; before a stop it is told", async () => {
  const shop = project({ db: {} });
  const error = await runHook(shop, { ...place, when: "post_start" }, {}, "c1", engine(4)).catch(
    (reason: unknown) => reason,
  );
  assert.instance(error, AppError);
  assert.is((error as AppError).code, "HOOK_FAILED");
  assert.equal((error as AppError).said?.lines, ["no disk"]);
  assert.is(
    await runHook(shop, { ...place, when: "pre_stop" }, {}, "c1", engine(4)),
    "pre_stop failed with 4",
  );
  assert.is(await runHook(shop, { ...place, when: "post_start" }, {}, "c1", engine(0)), "post_start done");
});

hooks.run();
