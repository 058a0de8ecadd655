import { buildGraph, type Graph } from "../graph/graph.ts";
import { load } from "../model/load.ts";
import type { ProjectSource } from "../model/types.ts";
import { select } from "./up.ts";

/** The graph of the project, or of some services and what they need. */
export async function graphOf(source: ProjectSource, services: readonly string[]): Promise<Graph> {
  return select(buildGraph(await load(source)), { services, dependencies: true });
}
