import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

export class Stats extends SlipwayCommand {
  static override summary = "Show what the services use of CPU, memory and network";
  static override examples = ["slipway stats", "slipway stats --no-stream --format json web"];
  static override args = servicesArg;
  static override flags = {
    "no-stream": Flags.boolean({ summary: "Show one sample and end" }),
    format: Flags.string({
      options: ["table", "json"],
      default: "table",
      summary: "json: one object a line",
    }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Stats);
    const context = await this.context(flags);
    const { sample } = await import("../../verbs/stats.ts");
    const { tableText } = await import("../../ui/table.ts");
    const { size } = await import("../../ui/size.ts");
    const again = !flags["no-stream"] && process.stdout.isTTY === true;
    do {
      const rows = await sample(this.source(flags, services), services, context);
      if (flags.format === "json") {
        for (const row of rows) this.print(JSON.stringify(row));
        continue;
      }
      const cells = rows.map((row) => [
        row.Name,
        row.CPUPerc,
        `${size(row.MemUsage)} / ${size(row.MemLimit)}`,
        `${size(row.NetIn)} / ${size(row.NetOut)}`,
        String(row.PIDs),
      ]);
      this.print(
        `${again ? "\x1b[H\x1b[2J" : ""}${tableText(["NAME", "CPU", "MEMORY", "NET IN / OUT", "PIDS"], cells)}`,
      );
    } while (again && !context.signal.aborted);
  }
}
