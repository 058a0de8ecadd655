import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { dryRunFlag, servicesArg } from "../options.ts";

export class Rm extends SlipwayCommand {
  static override summary = "Remove stopped containers of services";
  static override examples = ["slipway rm", "slipway rm --stop -v web"];
  static override args = servicesArg;
  static override flags = {
    "dry-run": dryRunFlag,
    force: Flags.boolean({ char: "f", summary: "Do not ask (nothing is asked)" }),
    stop: Flags.boolean({ char: "s", summary: "Stop running ones first" }),
    volumes: Flags.boolean({ char: "v", summary: "Remove their anonymous volumes too" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Rm);
    const context = await this.context(flags);
    const source = this.source(flags, services);
    if (flags.stop) await (await import("../../verbs/stop.ts")).stop(source, services, undefined, context);
    const { remove } = await import("../../verbs/each.ts");
    const count = await remove(source, services, flags.volumes, context);
    if (count === 0)
      context.report.on({ subject: "project", id: "rm", phase: "note", text: "no stopped containers" });
  }
}
