import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ContainerLogs extends SlipwayCommand {
  static override summary = "Show what a container logged";
  static override examples = [
    "slipway container logs -f shop-web-1",
    "slipway container logs -n 20 -t shop-web-1",
  ];
  static override args = {
    container: Args.string({ required: true, description: "Name or id" }),
  };
  static override flags = {
    follow: Flags.boolean({ char: "f", summary: "Go on with what comes" }),
    tail: Flags.string({ char: "n", default: "all", helpValue: "LINES", summary: "Only the last lines" }),
    since: Flags.string({ helpValue: "TIME", summary: "From a time on, or from so long ago (10m)" }),
    until: Flags.string({ helpValue: "TIME", summary: "Up to a time" }),
    timestamps: Flags.boolean({ char: "t", summary: "Show the time of each line" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ContainerLogs);
    const { engine, signal } = await this.context(flags);
    const { pointInTime } = await import("../../../verbs/logs.ts");
    const { since, until, follow, timestamps } = flags;
    const tail = flags.tail === "all" ? "all" : Number(flags.tail);
    const range = {
      ...(since && { since: pointInTime(since) }),
      ...(until && { until: pointInTime(until) }),
    };
    const chunks = engine.logs(args.container, {
      stdout: true,
      stderr: true,
      follow,
      timestamps,
      tail,
      signal,
      ...range,
    });
    for await (const { stream, data } of chunks)
      (stream === "stderr" ? process.stderr : process.stdout).write(data);
  }
}
