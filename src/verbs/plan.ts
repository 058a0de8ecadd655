import { staleImages } from "../build/refresh.ts";
import { type ImageOptions, imageWork } from "../build/work.ts";
import type { Context } from "../context.ts";
import { buildGraph } from "../graph/graph.ts";
import { load } from "../model/load.ts";
import type { ProjectSource } from "../model/types.ts";
import { observe } from "../reconcile/observe.ts";
import type { Decision, Plan } from "../reconcile/operations.ts";
import type { PlanOptions } from "../reconcile/options.ts";
import { planUp } from "../reconcile/plan.ts";
import { assumeProvided } from "./providers.ts";
import { withApiSocket } from "./socket.ts";
import { select } from "./up.ts";

export interface FullPlan extends Plan {
  readonly images: number; // how many are to be pulled or built first
}

/** What `up` would do now. Changes nothing. */
export async function plan(
  source: ProjectSource,
  options: PlanOptions & ImageOptions & { readonly dependencies: boolean },
  context: Context,
): Promise<FullPlan> {
  const loaded = await withApiSocket(await load(source), context);
  const whole = select(buildGraph(loaded), options);
  const observed = await observe(loaded, context.engine);
  const graph = assumeProvided(whole, observed.containers);
  const { project } = graph;
  const stale = await staleImages(project, graph.services, context.engine, Date.now());
  const work = imageWork(project, graph.services, observed.images, options, stale);
  const images = work.map((item): Decision => {
    const id = item.kind === "pull" ? item.image : item.tags[0]!;
    return { subject: "image", id, verdict: "create", why: `${item.kind}: ${item.why}`, changes: [] };
  });
  const steps = planUp(graph, observed, options);
  return { ...steps, decisions: [...images, ...steps.decisions], images: images.length };
}
