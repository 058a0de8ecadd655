/** Carries a plan out: each step as soon as those it waits for are done. Decides nothing. */
import type { Report, Subject } from "../context.ts";
import { throwAll } from "../errors.ts";
import type { Executors, Operation, OperationKind, Plan, Step } from "./operations.ts";

export interface ApplyContext {
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly parallel: number; // operations at once
}

/** What is said while an operation runs, when it is done, and whether that is the last word on its subject. */
const WORDS: Readonly<Record<OperationKind, readonly [string, string, "final" | "more"]>> = {
  createNetwork: ["creating", "created", "final"],
  removeNetwork: ["removing", "removed", "final"],
  createVolume: ["creating", "created", "final"],
  removeVolume: ["removing", "removed", "final"],
  removeImage: ["removing", "removed", "final"],
  createContainer: ["creating", "created", "more"],
  putFiles: ["putting files", "files put", "more"],
  renameContainer: ["renaming", "renamed", "more"],
  startContainer: ["starting", "started", "final"],
  runInit: ["running pre_start", "pre_start done", "more"],
  runHook: ["running a hook", "hook done", "final"],
  unpauseContainer: ["unpausing", "running", "final"],
  stopContainer: ["stopping", "stopped", "final"],
  removeContainer: ["removing", "removed", "final"],
  awaitContainer: ["waiting", "ready", "final"],
  awaitService: ["waiting", "ready", "final"],
};

/** Reasons that say no more than the operation itself. */
const OBVIOUS = new Set(["absent", "down", "stop"]);

/**
 * Carries out a plan. When a step fails, what waits for it is left out and all else goes on; the failures come
 * together at the end.
 *
 * @throws {AppError | AppErrors} whatever the steps failed with; INTERRUPTED
 */
export async function apply(plan: Plan, executors: Executors, context: ApplyContext): Promise<void> {
  const failures: unknown[] = [];
  const turn = new Turns(context.parallel);
  const done = new Map<number, Promise<boolean>>();
  for (const step of plan.steps) {
    const earlier = step.after.map((id) => done.get(id)!);
    done.set(step.id, runStep(step, earlier, executors, context, turn, failures, plan));
  }
  await Promise.all(done.values());
  if (failures.length > 0) context.signal.throwIfAborted();
  throwAll(failures);
}

/** @returns whether the step was done */
async function runStep(
  step: Step,
  earlier: readonly Promise<boolean>[],
  executors: Executors,
  context: ApplyContext,
  turns: Turns,
  failures: unknown[],
  plan: Plan,
): Promise<boolean> {
  const ready = (await Promise.all(earlier)).every((ok) => ok);
  const { operation } = step;
  const [doing, did, rank] = WORDS[operation.kind];
  const { subject, id } = subjectOf(operation, plan);
  if (!ready) {
    if (operation.kind === "startContainer" && !context.signal.aborted) {
      context.report.on({ subject, id, phase: "failed", text: "not started" });
    }
    return false;
  }
  // Waiting takes no turn: it does nothing to the engine, and what it waits for may need the turn.
  const release =
    operation.kind === "awaitService" || operation.kind === "awaitContainer" ? () => {} : await turns.take();
  try {
    context.signal.throwIfAborted();
    const why = OBVIOUS.has(operation.why) || isTold(plan, operation.why) ? undefined : operation.why;
    context.report.on({ subject, id, phase: "working", text: doing, ...(why !== undefined && { why }) });
    const word = await execute(executors, operation);
    const more =
      rank === "more" ||
      plan.steps.some((other) => other.after.includes(step.id) && subjectOf(other.operation, plan).id === id);
    context.report.on({ subject, id, phase: more ? "working" : "done", text: word ?? did });
    return true;
  } catch (error) {
    failures.push(error);
    if (!context.signal.aborted) context.report.on({ subject, id, phase: "failed", text: "failed" });
    return false;
  } finally {
    release();
  }
}

/** Why something is replaced is told with the plan, before its steps. */
function isTold(plan: Plan, why: string): boolean {
  return plan.decisions.some((decision) => decision.verdict === "recreate" && decision.why === why);
}

function execute<O extends Operation>(executors: Executors, operation: O): Promise<string | undefined> {
  return (executors[operation.kind] as (operation: O) => Promise<string | undefined>)(operation);
}

function subjectOf(operation: Operation, plan: Plan): { subject: Subject; id: string } {
  switch (operation.kind) {
    case "createNetwork":
    case "removeNetwork":
      return { subject: "network", id: operation.name };
    case "createVolume":
    case "removeVolume":
      return { subject: "volume", id: operation.name };
    case "removeImage":
      return { subject: "image", id: operation.image };
    case "awaitService":
      return { subject: "container", id: rowOf(plan, operation.service) };
    default:
      return { subject: "container", id: `${operation.service}-${operation.number}` };
  }
}

/** The only container of a service, where it has one; else the service. */
export function rowOf(plan: Plan, service: string): string {
  const ids = plan.decisions.filter((decision) => decision.service === service).map(({ id }) => id);
  return ids.length === 1 ? ids[0]! : service;
}

/** Lets at most `limit` holders in at once, in the order they came. */
class Turns {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    return () => {
      const next = this.#queue.shift();
      if (next) next();
      else this.#free += 1;
    };
  }
}
