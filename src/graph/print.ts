import { dependenciesOf, dependentsOf, type Edge, type Graph } from "./graph.ts";

export type GraphForm = "tree" | "mermaid" | "dot" | "json";

const WORDS = {
  service_started: "started",
  service_healthy: "healthy",
  service_completed_successfully: "completed",
} as const;

const PRINTERS: Readonly<Record<GraphForm, (graph: Graph) => string>> = { tree, mermaid, dot, json };

/** The services and what each waits for, as text of some form. */
export function printGraph(graph: Graph, form: GraphForm): string {
  return PRINTERS[form](graph);
}

/** Each service that nobody needs, with what it needs below; what was shown before is only named. */
function tree(graph: Graph): string {
  const shown = new Set<string>();
  const lines: string[] = [];
  const branch = (edge: Edge, indent: string, last: boolean): void => {
    const note = shown.has(edge.to) && dependenciesOf(graph, edge.to).length > 0 ? ", as above" : "";
    lines.push(`${indent}${last ? "└─" : "├─"} ${edge.to} (${WORDS[edge.condition]}${note})`);
    if (!shown.has(edge.to)) below(edge.to, `${indent}${last ? "   " : "│  "}`);
  };
  const below = (service: string, indent: string): void => {
    shown.add(service);
    const edges = dependenciesOf(graph, service);
    edges.forEach((edge, index) => {
      branch(edge, indent, index === edges.length - 1);
    });
  };
  for (const service of graph.services.filter((name) => dependentsOf(graph, name).length === 0)) {
    lines.push(service);
    below(service, "");
  }
  return lines.join("\n");
}

function mermaid({ services, edges }: Graph): string {
  // Mermaid's identifiers know no dots and dashes.
  const id = (name: string): string => `s${services.indexOf(name)}`;
  return [
    "flowchart TD",
    ...services.map((name) => `  ${id(name)}["${name}"]`),
    ...edges.map(({ from, to, condition }) => `  ${id(from)} -->|${WORDS[condition]}| ${id(to)}`),
  ].join("\n");
}

function dot({ project, services, edges }: Graph): string {
  return [
    `digraph ${JSON.stringify(project.name)} {`,
    ...services.map((name) => `  ${JSON.stringify(name)};`),
    ...edges.map(
      ({ from, to, condition }) =>
        `  ${JSON.stringify(from)} -> ${JSON.stringify(to)} [label=${JSON.stringify(WORDS[condition])}];`,
    ),
    "}",
  ].join("\n");
}

function json({ project, services, edges }: Graph): string {
  return JSON.stringify({ v: 1, project: project.name, services, edges });
}
