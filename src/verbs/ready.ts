import type { Context } from "../context.ts";
import { AppError, throwAll } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { rowOf } from "../reconcile/apply.ts";
import type { Plan } from "../reconcile/operations.ts";
import { Readiness } from "../reconcile/ready.ts";

/**
 * Waits until every service runs, is healthy where it has a probe, or has completed where it is a job.
 *
 * @param seconds undefined: no limit
 * @throws {AppError | AppErrors} WAIT_TIMEOUT, SERVICE_UNHEALTHY, SERVICE_EXITED, INTERRUPTED
 */
export async function awaitReady(
  graph: Graph,
  plan: Plan,
  seconds: number | undefined,
  context: Context,
): Promise<void> {
  const { report } = context;
  const waiting = new Set(graph.services);
  const limit = new AbortController();
  const late = (): void => {
    const names = [...waiting].join(", ");
    const hint = `\`slipway ps\` and \`slipway logs ${[...waiting][0]}\` show how far they are.`;
    limit.abort(new AppError("WAIT_TIMEOUT", `${names}: not ready after ${seconds} s`, { hint }));
  };
  const timer = seconds === undefined ? undefined : setTimeout(late, seconds * 1000);
  const signal = AbortSignal.any([context.signal, limit.signal]);
  const readiness = new Readiness(graph.project, context.engine, signal);
  try {
    const results = await Promise.allSettled(
      graph.services.map(async (service) => {
        const jobs = graph.edges.some(
          ({ to, condition }) => to === service && condition === "service_completed_successfully",
        );
        const id = rowOf(plan, service);
        try {
          const text = await readiness.wait(service, jobs ? "service_completed_successfully" : "ready");
          waiting.delete(service);
          report.on({ subject: "container", id, phase: "done", text });
        } catch (error) {
          if (!signal.aborted) report.on({ subject: "container", id, phase: "failed", text: "failed" });
          throw error;
        }
      }),
    );
    signal.throwIfAborted();
    const failures = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as unknown] : [],
    );
    throwAll(failures);
  } finally {
    clearTimeout(timer);
    readiness.close();
  }
}
