import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

export class GraphCommand extends SlipwayCommand {
  static override summary = "Show which service waits for which";
  static override examples = [
    "slipway graph",
    "slipway graph web",
    "slipway graph --format mermaid >> README.md",
    "slipway graph --format dot | dot -Tsvg > graph.svg",
  ];
  static override args = servicesArg;
  static override flags = {
    format: Flags.string({
      options: ["tree", "mermaid", "dot", "json"],
      default: "tree",
      summary: "Form of the output",
    }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(GraphCommand);
    const { graphOf } = await import("../../verbs/graph.ts");
    const { printGraph } = await import("../../graph/print.ts");
    const graph = await graphOf(this.source(flags, services), services);
    this.print(printGraph(graph, flags.format as "tree" | "mermaid" | "dot" | "json"));
  }
}
