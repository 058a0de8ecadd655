import { SlipwayCommand } from "../../base.ts";
import { namesArg } from "../../objects.ts";
import { showStats, statsFlags } from "../stats.ts";

export class ContainerStats extends SlipwayCommand {
  static override summary = "Show what containers use of CPU, memory and network";
  static override examples = ["slipway container stats", "slipway container stats --no-stream web"];
  static override args = { name: { ...namesArg("Containers; none: all that run").name, required: false } };
  static override flags = statsFlags;

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerStats);
    const { engine, signal } = await this.context(flags);
    const { sampleAll } = await import("../../../verbs/stats.ts");
    const take = async () => {
      const found = words.length > 0 ? [] : await engine.listContainers({ all: flags.all });
      const chosen =
        words.length > 0
          ? words.map((id) => ({ id, name: id, running: true }))
          : found.map(({ Id, Names, State }) => ({
              id: Id,
              name: Names[0]?.replace(/^\//, "") ?? Id.slice(0, 12),
              running: State === "running",
            }));
      return await sampleAll(chosen, engine);
    };
    await showStats(take, flags, signal, (line) => this.print(line));
  }
}
