import { SlipwayCommand } from "../base.ts";
import { dryRunFlag, servicesArg, timeoutFlag } from "../options.ts";

export class Stop extends SlipwayCommand {
  static override summary = "Stop services, each after those that depend on it";
  static override examples = ["slipway stop", "slipway stop -t 2 web"];
  static override args = servicesArg;
  static override flags = { timeout: timeoutFlag, "dry-run": dryRunFlag };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Stop);
    const context = await this.context(flags);
    const { stop } = await import("../../verbs/stop.ts");
    await stop(this.source(flags, services), services, flags.timeout, context);
  }
}
