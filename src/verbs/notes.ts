import type { Report } from "../context.ts";
import type { Project } from "../model/types.ts";
import type { Plan } from "../reconcile/operations.ts";
import { summary } from "../reconcile/print.ts";

/** What the model found worth saying, with its place. */
export function reportWarnings(project: Project, report: Report): void {
  for (const { message, at, hint } of project.warnings) {
    const place = at ? `${at.file}:${at.line}:${at.column} ` : "";
    report.on({
      subject: "project",
      id: project.name,
      phase: "warn",
      text: `${place}${message}`,
      ...(hint && { why: hint }),
    });
  }
}

/** What is going to be done, and for what is replaced, why. */
export function reportPlan(project: Project, plan: Plan, report: Report): void {
  const { name } = project;
  for (const text of plan.warnings) report.on({ subject: "project", id: name, phase: "warn", text });
  for (const { subject, id, service, verdict, why } of plan.decisions) {
    if (verdict === "recreate" || verdict === "restart") {
      report.on({ subject, id: service ?? id, phase: "note", text: why });
    } else if (verdict === "keep" && plan.steps.length > 0) {
      report.on({ subject, id, phase: "done", text: why });
    }
  }
  const kept = plan.decisions.filter(({ verdict }) => verdict === "keep").length;
  const text = plan.steps.length === 0 ? `nothing to do, ${kept} unchanged` : summary(plan);
  report.on({ subject: "project", id: name, phase: "note", text });
}
