import type { Graph } from "./graph.ts";

/**
 * Services in levels: each level needs only the ones before it, so that all of one level can be worked on at once.
 * Reversed, it is the order to stop in. Within a level the order of the file is kept.
 */
export function levels(graph: Pick<Graph, "services" | "edges">): readonly (readonly string[])[] {
  const level = new Map<string, number>();
  const depth = (service: string): number => {
    const known = level.get(service);
    if (known !== undefined) return known;
    const below = graph.edges.filter((edge) => edge.from === service).map((edge) => depth(edge.to));
    const own = below.length === 0 ? 0 : Math.max(...below) + 1;
    level.set(service, own);
    return own;
  };
  const result: string[][] = [];
  for (const service of graph.services) {
    const own = depth(service);
    while (result.length <= own) result.push([]);
    result[own]!.push(service);
  }
  return result;
}
