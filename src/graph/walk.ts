import { AppError } from "../errors.ts";
import type { Graph } from "./graph.ts";

/** The named services and everything they need, in the order of the file; all services when none is named. */
export function withDependencies(graph: Graph, named: readonly string[]): readonly string[] {
  return closure(graph, named, (service) =>
    graph.edges.filter((edge) => edge.from === service).map((edge) => edge.to),
  );
}

/** The named services and everything that needs them, in the order of the file; all services when none is named. */
export function withDependents(graph: Graph, named: readonly string[]): readonly string[] {
  return closure(graph, named, (service) =>
    graph.edges.filter((edge) => edge.to === service).map((edge) => edge.from),
  );
}

/** @throws {AppError} SERVICE_UNKNOWN for the first name that is no service of the project */
export function checkServices(graph: Pick<Graph, "services" | "project">, named: readonly string[]): void {
  for (const name of named) {
    if (graph.services.includes(name)) continue;
    const near = nearest(name, graph.services);
    throw new AppError(
      "SERVICE_UNKNOWN",
      `no such service: ${name}${near ? `; did you mean "${near}"?` : ""}`,
      {
        hint: `Services of ${graph.project.name}: ${graph.services.join(", ") || "none"}.`,
      },
    );
  }
}

/** The word of `words` that a typing mistake most likely meant: one letter, or at most a third of them, differ. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = word.length < 2 ? 1 : Math.max(2, Math.floor(word.length / 3) + 1);
  for (const candidate of words) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function closure(
  graph: Graph,
  named: readonly string[],
  next: (service: string) => readonly string[],
): readonly string[] {
  if (named.length === 0) return graph.services;
  checkServices(graph, named);
  const seen = new Set<string>();
  const queue = [...named];
  for (let service = queue.pop(); service !== undefined; service = queue.pop()) {
    if (seen.has(service)) continue;
    seen.add(service);
    queue.push(...next(service));
  }
  return graph.services.filter((service) => seen.has(service));
}

/** Levenshtein's distance, a swap of neighbours counting as one. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
      }
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
