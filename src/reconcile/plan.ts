/**
 * What has to be done, from what is wanted and what is there. Pure: the same project and the same observation give the
 * same plan, and a plan of no steps means that nothing is to be done.
 */
import type { Graph } from "../graph/graph.ts";
import { levels } from "../graph/order.ts";
import type { Mount } from "../model/types.ts";
import { compareNetworks, whyChanged } from "./networks.ts";
import type { Observed, ObservedContainer } from "./observed.ts";
import type { Plan } from "./operations.ts";
import type { PlanOptions } from "./options.ts";
import { type Foundations, ServicePlanner } from "./services.ts";
import { PlanBuilder } from "./steps.ts";
import { planStopOf, subjectOf, targetOf } from "./stopping.ts";
import { compareVolumes } from "./volumes.ts";

/**
 * Plans `up` and `create`: networks, volumes, then services, dependencies first.
 *
 * @param graph of the services at hand; others of the project are left as they are
 * @throws {AppError} EXTERNAL_MISSING
 */
export function planUp(graph: Graph, observed: Observed, options: PlanOptions): Plan {
  const builder = new PlanBuilder();
  planOrphans(graph, observed, options, builder);
  const ground = planFoundations(graph, observed, options, builder);
  const services = new ServicePlanner(graph, observed, options, ground);
  for (const name of levels(graph).flat()) services.plan(name);
  return builder.plan;
}

function planFoundations(
  graph: Graph,
  observed: Observed,
  options: PlanOptions,
  builder: PlanBuilder,
): Foundations {
  const { project } = graph;
  const used = graph.services.map((name) => project.services[name]!);
  const all = Object.values(project.services);
  const networks = new Map<string, number>();
  const volumes = new Map<string, number>();
  const removed = new Map<string, number>();

  const network = compareNetworks(
    project,
    observed,
    new Set([
      ...used.flatMap((s) => Object.keys(s.networks ?? {})),
      ...unusedOf(
        project.networks,
        all.flatMap((s) => Object.keys(s.networks ?? {})),
      ),
    ]),
  );
  for (const { key, name } of network.absent) {
    builder.decide({ subject: "network", id: name, verdict: "create", why: "absent" });
    networks.set(name, builder.step({ kind: "createNetwork", why: "absent", network: key, name }));
  }
  for (const changed of network.changed) {
    const { key, name, changes } = changed;
    const why = whyChanged(changed);
    builder.decide({ subject: "network", id: name, verdict: "recreate", why, changes });
    const freed = observed.containers
      .filter((container) => container.networks.includes(name))
      .map((container) => {
        const because = `network ${name} is recreated`;
        const stop = planStopOf(builder, project, container, because, options.timeout);
        const remove = {
          kind: "removeContainer",
          why: because,
          ...targetOf(container),
          volumes: false,
        } as const;
        const step = removed.get(container.id) ?? builder.step(remove, [stop]);
        removed.set(container.id, step);
        return step;
      });
    const remove = builder.step({ kind: "removeNetwork", why, name }, freed);
    networks.set(name, builder.step({ kind: "createNetwork", why, network: key, name }, [remove]));
  }

  const mounts = used.flatMap((service) => service.volumes ?? []);
  const volume = compareVolumes(
    project,
    observed,
    new Set([
      ...mounts.flatMap(sourceOf),
      ...unusedOf(
        project.volumes,
        all.flatMap((s) => (s.volumes ?? []).flatMap(sourceOf)),
      ),
    ]),
  );
  for (const { key, name } of volume.absent) {
    builder.decide({ subject: "volume", id: name, verdict: "create", why: "absent" });
    volumes.set(key, builder.step({ kind: "createVolume", why: "absent", volume: key, name }));
  }
  for (const warning of [...network.warnings, ...volume.warnings]) builder.warn(warning);
  return {
    builder,
    networks,
    volumes,
    removed,
    changedNetworks: new Set(network.changed.map(({ name }) => name)),
  };
}

const sourceOf = ({ type, source }: Mount): string[] => (type === "volume" && source ? [source] : []);

/** What the project keeps although nothing uses it: it was asked for by --all-resources. */
function unusedOf(declared: object, used: readonly string[]): string[] {
  return Object.keys(declared).filter((key) => !used.includes(key));
}

/** Containers of the project whose service is in the file no more. */
export function orphansOf(graph: Graph, observed: Observed): readonly ObservedContainer[] {
  const { services, disabledServices } = graph.project;
  return observed.containers.filter(
    ({ service, oneoff, state }) =>
      (!(service in services) && !(service in disabledServices)) || (oneoff && state === "exited"),
  );
}

function planOrphans(graph: Graph, observed: Observed, options: PlanOptions, builder: PlanBuilder): void {
  const orphans = orphansOf(graph, observed);
  const { COMPOSE_REMOVE_ORPHANS: remove, COMPOSE_IGNORE_ORPHANS: ignore } = graph.project.environment;
  const why = "no service of the file any more";
  if (options.removeOrphans || isTrue(remove)) {
    for (const orphan of orphans) {
      builder.decide({ ...subjectOf(orphan), verdict: "remove", why });
      const stop = planStopOf(builder, graph.project, orphan, why, options.timeout);
      builder.step({ kind: "removeContainer", why, ...targetOf(orphan), volumes: false }, [stop]);
    }
    return;
  }
  const left = orphans.filter(({ oneoff }) => !oneoff);
  if (left.length > 0 && !isTrue(ignore)) {
    const names = left.map(({ name }) => name).join(", ");
    builder.warn(`${names}: no service of the file any more; --remove-orphans removes what is left over`);
  }
}

function isTrue(setting: string | undefined): boolean {
  return /^(1|true|yes|on)$/i.test(setting ?? "");
}
