import { EngineFailure, isMissing } from "../client/failures.ts";
import type { Context, Report } from "../context.ts";
import { buildGraph } from "../graph/graph.ts";
import { checkServices } from "../graph/walk.ts";
import type { ProjectSource } from "../model/types.ts";
import { type DownOptions, planDown } from "../reconcile/down.ts";
import { observe } from "../reconcile/observe.ts";
import type { Executors, Plan } from "../reconcile/operations.ts";
import { carryOut } from "./carry.ts";
import { loadOrRecall } from "./project.ts";
import { withdraw } from "./providers.ts";

/**
 * Takes the project down: containers in reverse order, networks, and volumes and images when asked.
 *
 * @param dry only plan
 * @returns the plan
 */
export async function down(
  source: ProjectSource,
  options: DownOptions,
  context: Context,
  dry = false,
): Promise<Plan> {
  const project = await loadOrRecall(source, context.engine);
  const graph = buildGraph(project);
  checkServices(graph, options.services);
  // A secret whose file is gone must not keep a project from being taken down.
  const observed = await observe({ ...project, secrets: {}, configs: {} }, context.engine);
  const plan = planDown(graph, observed, options);
  if (dry) return plan;
  for (const text of plan.warnings)
    context.report.on({ subject: "project", id: project.name, phase: "warn", text });
  if (plan.steps.length === 0 && !Object.values(project.services).some(({ provider }) => provider)) {
    context.report.on({ subject: "project", id: project.name, phase: "note", text: "nothing to take down" });
  }
  await carryOut(project, observed, plan, context, (executors) => tolerant(executors, context.report));
  await withdraw(graph, options.services, "down", context);
  return plan;
}

/** What others still use stays, and is named; what is gone already is gone. */
function tolerant(executors: Executors, report: Report): Executors {
  const keep = async (
    subject: "network" | "volume" | "image",
    id: string,
    work: Promise<unknown>,
  ): Promise<string | undefined> => {
    try {
      await work;
      return undefined;
    } catch (error) {
      if (isMissing(error)) return "gone already";
      const inUse =
        error instanceof EngineFailure &&
        (error.status === 409 || /active endpoints|in use/.test(error.message));
      if (!inUse) throw error;
      report.on({ subject, id, phase: "warn", text: "still in use, kept" });
      return "kept";
    }
  };
  return {
    ...executors,
    removeNetwork: (operation) => keep("network", operation.name, executors.removeNetwork(operation)),
    removeVolume: (operation) => keep("volume", operation.name, executors.removeVolume(operation)),
    removeImage: (operation) => keep("image", operation.image, executors.removeImage(operation)),
  };
}
