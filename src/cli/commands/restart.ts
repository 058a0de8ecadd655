import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { dryRunFlag, servicesArg, timeoutFlag } from "../options.ts";

export class Restart extends SlipwayCommand {
  static override summary = "Restart services, dependencies first; changed files are not applied";
  static override examples = ["slipway restart web", "slipway restart -t 1"];
  static override args = servicesArg;
  static override flags = {
    "dry-run": dryRunFlag,
    timeout: timeoutFlag,
    "no-deps": Flags.boolean({
      summary: "Leave services alone that are tied to these by depends_on.restart",
    }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Restart);
    const context = await this.context(flags);
    const { toEach } = await import("../../verbs/each.ts");
    await toEach(
      "restart",
      this.source(flags, services),
      services,
      flags.timeout,
      context,
      !flags["no-deps"],
    );
  }
}
