import { AppError } from "../errors.ts";
import type { Edge, Graph } from "./graph.ts";

/**
 * @throws {AppError} DEPENDENCY_CYCLE for the first cycle in the order of the file, at its first edge, naming every
 *   service on the way with its place
 */
export function refuseCycles(graph: Graph): void {
  const cycle = findCycle(graph);
  if (cycle === undefined) return;
  const place = (edge: Edge): string => {
    const at = positionOf(graph, edge);
    return at ? `${edge.from} (${at.line}:${at.column})` : edge.from;
  };
  const path = [...cycle.map(place), cycle[0]!.from].join(" → ");
  const weakest = cycle.findLast((edge) => edge.condition === "service_started") ?? cycle.at(-1)!;
  const at = positionOf(graph, cycle[0]!);
  throw new AppError("DEPENDENCY_CYCLE", `services depend on each other in a circle: ${path}`, {
    ...(at && { at }),
    hint:
      cycle.length === 1
        ? `Remove "${weakest.to}" from its own dependencies.`
        : `Drop one of them, such as ${weakest.from} → ${weakest.to}.`,
  });
}

/** The edges of one cycle, each beginning where the one before ends. */
export function findCycle(graph: Pick<Graph, "services" | "edges">): readonly Edge[] | undefined {
  const done = new Set<string>();
  const path: Edge[] = [];
  const visit = (service: string): readonly Edge[] | undefined => {
    if (done.has(service)) return undefined;
    const start = path.findIndex((edge) => edge.from === service);
    if (start >= 0) return path.slice(start);
    for (const edge of graph.edges) {
      if (edge.from !== service) continue;
      path.push(edge);
      const cycle = visit(edge.to);
      if (cycle) return cycle;
      path.pop();
    }
    done.add(service);
    return undefined;
  };
  for (const service of graph.services) {
    const cycle = visit(service);
    if (cycle) return cycle;
  }
  return undefined;
}

function positionOf(graph: Graph, { from, to }: Edge): ReturnType<Graph["project"]["positionOf"]> {
  const { positionOf: at } = graph.project;
  const mode = (["network_mode", "ipc", "pid", "uts", "cgroup"] as const).find(
    (key) => graph.project.services[from]?.[key] === `service:${to}`,
  );
  return (
    at(["services", from, "depends_on", to]) ??
    (mode && at(["services", from, mode])) ??
    at(["services", from, "depends_on"]) ??
    at(["services", from])
  );
}
