import type { Operation, Plan, Step } from "./operations.ts";

/** One line a step: `[after] #id kind target: why`. For tests and for programs. */
export function printSteps(steps: readonly Step[]): string {
  return steps
    .map(
      ({ id, after, operation }) =>
        `[${after.join(",")}] #${id} ${operation.kind} ${target(operation)}: ${operation.why}`,
    )
    .join("\n");
}

const MARK = {
  create: "+",
  recreate: "~",
  restart: "↻",
  start: "▶",
  stop: "■",
  remove: "-",
  keep: "=",
} as const;

/** One line a decision: `~ web-1  recreate  environment.LOG info → debug`, and a summary. */
export function printPlan(plan: Plan): string {
  const rows = plan.decisions.map(({ subject, id, verdict, why }) => ({
    mark: MARK[verdict],
    id: subject === "container" ? id : `${subject} ${id}`,
    verdict: verdict === "keep" ? "unchanged" : verdict,
    why: why === "absent" || why === "down" ? "" : why,
  }));
  const wide = Math.max(0, ...rows.map(({ id }) => id.length));
  const lines = rows.map(({ mark, id, verdict, why }) =>
    ` ${mark} ${id.padEnd(wide)}  ${verdict.padEnd(9)}  ${why}`.trimEnd(),
  );
  return [...lines, ` ${summary(plan)}`].join("\n");
}

/** `2 create, 1 recreate, 3 unchanged`. */
export function summary(plan: Plan): string {
  const counts = new Map<string, number>();
  for (const { verdict } of plan.decisions) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const kept = counts.get("keep");
  counts.delete("keep");
  const parts = [...counts].map(([verdict, count]) => `${count} ${verdict}`);
  if (plan.steps.length === 0) return "nothing to do";
  return [...parts, ...(kept ? [`${kept} unchanged`] : [])].join(", ");
}

function target(operation: Operation): string {
  switch (operation.kind) {
    case "createNetwork":
    case "removeNetwork":
    case "createVolume":
    case "removeVolume":
      return operation.name;
    case "removeImage":
      return operation.image;
    case "awaitService":
      return `${operation.service} ${operation.condition}`;
    default:
      return `${operation.service}-${operation.number}`;
  }
}
