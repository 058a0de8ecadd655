import type { Context } from "../context.ts";
import type { Project } from "../model/types.ts";
import { apply } from "../reconcile/apply.ts";
import { executorsFor } from "../reconcile/executors.ts";
import type { Observed } from "../reconcile/observed.ts";
import type { Executors, Plan } from "../reconcile/operations.ts";
import { Readiness } from "../reconcile/ready.ts";

/** Applies a plan with the engine of the context. */
export async function carryOut(
  project: Project,
  observed: Pick<Observed, "images" | "contents">,
  plan: Plan,
  context: Context,
  adapt: (executors: Executors) => Executors = (executors) => executors,
): Promise<void> {
  if (plan.steps.length === 0) return;
  const readiness = new Readiness(project, context.engine, context.signal);
  try {
    await apply(plan, adapt(executorsFor(project, observed, context.engine, readiness)), context);
  } finally {
    readiness.close();
  }
}
