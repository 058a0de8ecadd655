/** Services that a provider program stands for: brought up before the containers that are to know of them. */
import type { Context } from "../context.ts";
import { AppError, throwAll } from "../errors.ts";
import { type Graph, narrow } from "../graph/graph.ts";
import { levels } from "../graph/order.ts";
import type { Project } from "../model/types.ts";
import { runProvider, variablePrefix } from "../provider/run.ts";
import type { ObservedContainer } from "../reconcile/observed.ts";

const isProvided = ({ services }: Project, name: string): boolean => services[name]?.provider !== undefined;

/** The services that have containers. */
export function containersOnly(graph: Graph): Graph {
  const own = graph.services.filter((name) => !isProvided(graph.project, name));
  return own.length === graph.services.length ? graph : narrow(graph, own);
}

/**
 * Has the providers of a graph bring up what they stand for, in order of their dependencies.
 *
 * @returns the graph of the other services, with the variables that they got
 * @throws {AppError | AppErrors} PROVIDER_FAILED; COMPOSE_VALUE for one that needs a container
 */
export async function provide(graph: Graph, context: Context): Promise<Graph> {
  let result = graph;
  for (const level of levels(graph)) {
    const names = level.filter((name) => isProvided(graph.project, name));
    for (const name of names) refuseContainers(graph, name);
    const { project } = result;
    const settled = await Promise.allSettled(
      names.map((name) => runProvider(project, project.services[name]!, "up", context)),
    );
    context.signal.throwIfAborted();
    throwAll(settled.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : [])));
    for (const [index, each] of settled.entries())
      if (each.status === "fulfilled") result = withVariables(result, names[index]!, each.value, context);
  }
  return containersOnly(result);
}

/** Tells providers that the project goes away, or stops: dependents first. */
export async function withdraw(
  graph: Graph,
  services: readonly string[],
  command: "down" | "stop",
  context: Context,
): Promise<void> {
  for (const level of levels(graph).toReversed()) {
    const names = level.filter(
      (name) => isProvided(graph.project, name) && (services.length === 0 || services.includes(name)),
    );
    await Promise.all(
      names.map((name) => runProvider(graph.project, graph.project.services[name]!, command, context)),
    );
  }
}

/** What providers set the last time, for those who only look at what would be done: no program is run for a plan. */
export function assumeProvided(graph: Graph, containers: readonly ObservedContainer[]): Graph {
  let result = graph;
  for (const provider of graph.services.filter((name) => isProvided(graph.project, name))) {
    const prefix = variablePrefix(provider);
    const known = containers
      .filter(({ service }) => graph.edges.some(({ from, to }) => from === service && to === provider))
      .flatMap(({ definition }) => Object.entries(environmentOf(definition)))
      .filter(([key]) => key.startsWith(prefix));
    result = withVariables(result, provider, Object.fromEntries(known));
  }
  return containersOnly(result);
}

function environmentOf(definition: ObservedContainer["definition"]): Record<string, string> {
  const { environment } = (definition ?? {}) as { readonly environment?: Record<string, string> };
  return environment ?? {};
}

/** The provider's variables win over the file's, as in docker compose. */
function withVariables(
  graph: Graph,
  provider: string,
  variables: Readonly<Record<string, string>>,
  context?: Context,
): Graph {
  const services = { ...graph.project.services };
  for (const { from } of graph.edges.filter(({ to }) => to === provider)) {
    const service = services[from]!;
    const lost = Object.keys(variables).filter(
      (key) => (service.environment?.[key] ?? variables[key]) !== variables[key],
    );
    for (const key of lost) {
      const text = `${provider} sets ${key}, over what the file says`;
      context?.report.on({ subject: "container", id: from, phase: "warn", text });
    }
    services[from] = { ...service, environment: { ...service.environment, ...variables } };
  }
  return { ...graph, project: { ...graph.project, services } };
}

function refuseContainers({ project, edges }: Graph, name: string): void {
  const other = edges.find(({ from, to }) => from === name && !isProvided(project, to));
  if (!other) return;
  const at = project.positionOf(["services", name, "depends_on", other.to]);
  throw new AppError(
    "COMPOSE_VALUE",
    `${name}: a provider is asked before there are containers, and needs ${other.to}`,
    {
      ...(at && { at }),
      hint: "Let it depend on other providers only.",
    },
  );
}
