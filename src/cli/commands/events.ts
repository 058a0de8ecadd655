import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

export class Events extends SlipwayCommand {
  static override summary = "Show what happens to the project's containers, as it happens";
  static override examples = ["slipway events", "slipway events --json web", "slipway events --since 10m"];
  static override args = servicesArg;
  static override flags = {
    json: Flags.boolean({ summary: "One JSON object a line" }),
    since: Flags.string({ helpValue: "TIME", summary: "From a time on, or from so long ago" }),
    until: Flags.string({ helpValue: "TIME", summary: "Up to a time" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Events);
    const context = await this.context(flags);
    const { events } = await import("../../verbs/events.ts");
    const { pointInTime } = await import("../../verbs/logs.ts");
    const range = {
      ...(flags.since !== undefined && { since: Number(pointInTime(flags.since)) }),
      ...(flags.until !== undefined && { until: Number(pointInTime(flags.until)) }),
    };
    for await (const event of events(this.source(flags, services), services, range, context)) {
      const { time, action, id, service, attributes } = event;
      if (flags.json)
        this.print(JSON.stringify({ time, type: "container", action, id, service, attributes }));
      else
        this.print(
          `${time} container ${action} ${id} (${Object.entries(attributes)
            .map(([key, value]) => `${key}=${value}`)
            .join(", ")})`,
        );
    }
  }
}
