import type { Graph } from "../graph/graph.ts";
import { namespaceModes } from "../graph/graph.ts";
import type { Service } from "../model/types.ts";
import { networksOf, serviceDefinition } from "./definition.ts";
import { diff, printChange } from "./diff.ts";
import { imageOf } from "./names.ts";
import type { Observed, ObservedContainer } from "./observed.ts";
import type { Change, Verdict } from "./operations.ts";

export interface Judgement {
  readonly verdict: Extract<Verdict, "recreate" | "start" | "keep">;
  readonly why: string;
  readonly changes: readonly Change[];
}

/** What planning has decided so far about what a service stands on. */
export interface Ground {
  readonly recreated: ReadonlySet<string>; // services
  readonly changedNetworks: ReadonlySet<string>; // names
  readonly named: boolean; // the command line asks for this very service
}

/** Whether a container that exists is still what the project asks for. Pure; the first reason found is the one given. */
export function judge(
  graph: Graph,
  service: Service,
  container: ObservedContainer,
  observed: Observed,
  ground: Ground,
  policy: "diverged" | "force" | "never",
): Judgement {
  const { project } = graph;
  const reason = (why: string, changes: readonly Change[] = []): Judgement => ({
    verdict: "recreate",
    why,
    changes,
  });
  if (policy === "force") return reason("asked for by --force-recreate");
  if (policy === "diverged") {
    if (container.definition === undefined) return reason("made by another tool, with settings unknown here");
    const changes = diff(container.definition, serviceDefinition(project, service, observed.contents));
    if (changes.length > 0) return reason(changes.map(printChange).join(", "), changes);
    const image = observed.images[imageOf(project, service)];
    if (image !== undefined && image !== container.image) {
      const [from, to] = [container.image, image].map((id) => id.replace(/^sha256:/, "").slice(0, 12));
      return reason(`image ${imageOf(project, service)} is another now: ${from} → ${to}`);
    }
    const gone = networksOf(project, service).find((name) => !container.networks.includes(name));
    if (gone !== undefined) return reason(`not connected to ${gone}`);
  }
  const shared = namespaceModes(service).find((mode) => ground.recreated.has(mode.replace(/^service:/, "")));
  if (shared !== undefined)
    return reason(`${shared.slice("service:".length)}, whose namespace it shares, is recreated`);
  const network = networksOf(project, service).find((name) => ground.changedNetworks.has(name));
  if (network !== undefined) return reason(`network ${network} is recreated`);
  return judgeState(graph, service, container, ground.named);
}

function judgeState(graph: Graph, service: Service, container: ObservedContainer, named: boolean): Judgement {
  const keep = { verdict: "keep", changes: [] } as const;
  switch (container.state) {
    case "running":
      return { ...keep, why: container.health ?? "running" };
    case "restarting":
      return { ...keep, why: "restarting" };
    case "exited":
      // A job that has completed is done, unless somebody asks for it by name.
      if (container.exitCode === 0 && isJob(graph, service) && !named) return { ...keep, why: "completed" };
      return { verdict: "start", why: `exited (${container.exitCode ?? "?"})`, changes: [] };
    default:
      return { verdict: "start", why: container.state, changes: [] };
  }
}

/** A service that another waits to complete: once done, it stays done for the same definition. */
export function isJob(graph: Pick<Graph, "edges">, service: Service): boolean {
  return graph.edges.some(
    ({ to, condition }) => to === service.name && condition === "service_completed_successfully",
  );
}
