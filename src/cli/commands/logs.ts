import { AppError } from "../../errors.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

export class Logs extends SlipwayCommand {
  static override summary = "Show what the services logged, merged by time";
  static override examples = [
    "slipway logs",
    "slipway logs -f web api",
    "slipway logs --tail 50 --since 10m db",
    "slipway logs --no-log-prefix -t web",
  ];
  static override args = servicesArg;
  static override flags = {
    follow: Flags.boolean({ char: "f", summary: "Go on with what comes" }),
    tail: Flags.string({
      char: "n",
      default: "all",
      helpValue: "LINES",
      summary: "Only the last lines of each container",
    }),
    since: Flags.string({ helpValue: "TIME", summary: "From a time on, or from so long ago (10m)" }),
    until: Flags.string({ helpValue: "TIME", summary: "Up to a time, or until so long ago" }),
    timestamps: Flags.boolean({ char: "t", summary: "Show the time of each line" }),
    index: Flags.integer({ min: 1, summary: "Only this container of a scaled service" }),
    "no-color": Flags.boolean({ summary: "No colours" }),
    "no-log-prefix": Flags.boolean({ summary: "No names before the lines" }),
    json: Flags.boolean({ summary: "One JSON object a line" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Logs);
    const context = await this.context(flags);
    const { logs, pointInTime } = await import("../../verbs/logs.ts");
    const { linePrinter } = await import("../../ui/lines.ts");
    const print = linePrinter((text) => process.stdout.write(text), services, {
      prefix: !flags["no-log-prefix"],
      timestamps: flags.timestamps,
      paint: await this.paint(flags, flags["no-color"]),
    });
    const options = {
      services,
      index: flags.index,
      follow: flags.follow,
      tail: readTail(flags.tail),
      since: flags.since === undefined ? undefined : pointInTime(flags.since),
      until: flags.until === undefined ? undefined : pointInTime(flags.until),
    };
    for await (const line of logs(this.source(flags, services), options, context)) {
      if (flags.json) this.print(JSON.stringify(line));
      else print(line);
    }
  }
}

function readTail(text: string): number | "all" {
  if (text === "all" || text === "-1") return "all";
  if (/^\d+$/.test(text)) return Number(text);
  throw new AppError("USAGE", `--tail ${text}: write a number of lines, or all`);
}
