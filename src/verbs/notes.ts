import { relative } from "node:path";
import type { Context, Report } from "../context.ts";
import type { Graph } from "../graph/graph.ts";
import { LABEL, projectFilter } from "../labels.ts";
import type { Project } from "../model/types.ts";
import type { Plan } from "../reconcile/operations.ts";
import { summary } from "../reconcile/print.ts";

/** What the model found worth saying, with its place. */
export function reportWarnings(project: Project, report: Report): void {
  for (const { message, at, hint } of [...project.warnings, ...project.lint()]) {
    const place = at ? `${shorten(at.file, project.workingDir)}:${at.line}:${at.column}  ` : "";
    report.on({
      subject: "project",
      id: project.name,
      phase: "warn",
      text: `${place}${message}`,
      ...(hint && { why: hint }),
    });
  }
}

function shorten(file: string, directory: string): string {
  const short = relative(directory, file);
  return short === "" || short.startsWith("..") ? file : short;
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

/** Where the services can be reached from outside, as the engine has it: it may have picked the ports. */
export async function reportPorts(graph: Graph, { engine, report }: Context): Promise<void> {
  const { project, services } = graph;
  if (!services.some((name) => project.services[name]?.ports?.length)) return;
  for (const { Labels: labels, Ports } of await engine.listContainers({
    filters: projectFilter(project.name),
  })) {
    const service = labels[LABEL.service] ?? "";
    if (!services.includes(service) || labels[LABEL.oneoff] === "True") continue;
    const published = Ports.filter(({ PublicPort, IP }) => PublicPort && !IP?.includes(":"));
    for (const { IP, PublicPort, PrivatePort, Type } of published) {
      const host = IP === "0.0.0.0" || !IP ? "localhost" : IP;
      const address = Type === "tcp" ? `http://${host}:${PublicPort}` : `${host}:${PublicPort}/${Type}`;
      const text = [80, 443, 3000, 5000, 8000, 8080, 8888].includes(PrivatePort)
        ? address
        : `${host}:${PublicPort}`;
      report.on({ subject: "container", id: service, phase: "note", text: `published at ${text}` });
    }
  }
}
