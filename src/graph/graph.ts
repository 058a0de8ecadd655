/**
 * The project as a graph: a node a service, an edge a dependency. Pure. Everything that has an order (start, stop,
 * plan, restart) reads it from here, so that no two commands disagree about what comes first.
 */
import type { Project, Service } from "../model/types.ts";
import { refuseCycles } from "./cycle.ts";

export type Condition = "service_started" | "service_healthy" | "service_completed_successfully";

export interface Edge {
  readonly from: string; // the service that waits
  readonly to: string; // the service waited for
  readonly condition: Condition;
  readonly restart: boolean; // `from` is restarted when `to` is replaced
}

export interface Graph {
  readonly project: Project;
  readonly services: readonly string[]; // in the order of the file
  readonly edges: readonly Edge[];
}

/**
 * Reads the explicit and implicit dependencies of every service. Optional ones on services that are not enabled are
 * left out; that required ones exist is the model's check.
 *
 * @throws {AppError} DEPENDENCY_CYCLE with the cycle as a path
 */
export function buildGraph(project: Project): Graph {
  const services = Object.keys(project.services);
  const edges = services.flatMap((name) => edgesOf(name, project.services[name]!));
  const graph = { project, services, edges: edges.filter((edge) => edge.to in project.services) };
  refuseCycles(graph);
  return graph;
}

export function dependenciesOf(graph: Graph, service: string): readonly Edge[] {
  return graph.edges.filter((edge) => edge.from === service);
}

export function dependentsOf(graph: Graph, service: string): readonly Edge[] {
  return graph.edges.filter((edge) => edge.to === service);
}

/** The graph of some services alone: edges to the left-out ones are dropped (`--no-deps`). */
export function narrow(graph: Graph, services: readonly string[]): Graph {
  const kept = new Set(services);
  return {
    project: graph.project,
    services: graph.services.filter((name) => kept.has(name)),
    edges: graph.edges.filter((edge) => kept.has(edge.from) && kept.has(edge.to)),
  };
}

function edgesOf(from: string, service: Service): Edge[] {
  const edges = new Map<string, Edge>();
  const implicit = (to: string, restart: boolean): void => {
    edges.set(to, { from, to, condition: "service_started", restart });
  };
  for (const link of service.links ?? []) implicit(link.split(":")[0]!, true);
  for (const source of service.volumes_from ?? []) {
    if (!source.startsWith("container:")) implicit(source.split(":")[0]!, false);
  }
  for (const mode of namespaceModes(service)) {
    if (mode.startsWith("service:")) implicit(mode.slice("service:".length), true);
  }
  // Explicit ones win over implicit ones.
  for (const [to, dependency] of Object.entries(service.depends_on ?? {})) {
    edges.set(to, {
      from,
      to,
      condition: dependency.condition as Condition,
      restart: dependency.restart ?? false,
    });
  }
  return [...edges.values()];
}

/** The settings by which a service can live in another's namespaces. */
export function namespaceModes(service: Service): readonly string[] {
  return [service.network_mode, service.ipc, service.pid, service.uts, service.cgroup].filter(
    (mode) => mode !== undefined,
  );
}
