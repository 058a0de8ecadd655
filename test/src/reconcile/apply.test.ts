import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError, AppErrors } from "../../../src/errors.ts";
import { apply } from "../../../src/reconcile/apply.ts";
import type { Executors, Operation, Plan, Step } from "../../../src/reconcile/operations.ts";
import { recorder } from "../engine.ts";

const applying = suite("reconcile/apply");

const start = (service: string): Operation => ({
  kind: "startContainer",
  why: "absent",
  service,
  number: 1,
  container: service,
});
const plan = (...steps: (readonly [string, ...number[]])[]): Plan => ({
  decisions: [],
  warnings: [],
  steps: steps.map(
    ([service, ...after], index): Step => ({ id: index + 1, after, operation: start(service) }),
  ),
});

/** Starts take a turn of the event loop each; `fails` throw. */
function executors(order: string[], fails: readonly string[] = []): Executors {
  return {
    async startContainer({ service }: { service: string }) {
      order.push(`${service}…`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (fails.includes(service)) throw new AppError("CONTAINER_FAILED", service);
      order.push(service);
      return undefined;
    },
  } as unknown as Executors;
}

const context = (parallel = 10, signal = new AbortController().signal) => ({
  report: recorder(),
  signal,
  parallel,
});

applying("a step begins when those it waits for are done, others go side by side", async () => {
  const order: string[] = [];
  await apply(plan(["db"], ["cache"], ["web", 1, 2]), executors(order), context());
  assert.equal(order, ["db…", "cache…", "db", "cache", "web…", "web"]);
});

applying("no more operations run at once than allowed", async () => {
  const order: string[] = [];
  await apply(plan(["a"], ["b"]), executors(order), context(1));
  assert.equal(order, ["a…", "a", "b…", "b"]);
});

applying(
  "what waits for a failed step is left out, all else is done, and all failures come together",
  async () => {
    const order: string[] = [];
    const ctx = context();
    const failed = await apply(
      plan(["db"], ["cache"], ["web", 1], ["other", 2], ["mail"]),
      executors(order, ["db", "mail"]),
      ctx,
    ).catch((error: unknown) => error);
    assert.instance(failed, AppErrors);
    assert.equal(
      (failed as AppErrors).errors.map(({ message }) => message),
      ["db", "mail"],
    );
    assert.ok(order.includes("other") && !order.includes("web…"));
    assert.ok(ctx.report.lines.includes("web-1 failed not started"));
  },
);

applying("an abort ends it with the signal's reason", async () => {
  const controller = new AbortController();
  const order: string[] = [];
  const work = apply(plan(["a"], ["b", 1]), executors(order), context(1, controller.signal));
  controller.abort(new AppError("INTERRUPTED", "interrupted"));
  const error = await work.catch((reason: unknown) => reason);
  assert.is((error as AppError).code, "INTERRUPTED");
  assert.not(order.includes("b…"));
});

applying("the report tells what is done, and when it is the last word", async () => {
  const ctx = context();
  await apply(plan(["web"]), executors([]), ctx);
  assert.equal(ctx.report.lines, ["web-1 working starting", "web-1 done started"]);
});

applying.run();
