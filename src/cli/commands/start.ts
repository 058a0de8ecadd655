import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

export class Start extends SlipwayCommand {
  static override summary = "Start the existing containers of services";
  static override examples = ["slipway start", "slipway start --wait db"];
  static override args = servicesArg;
  static override flags = {
    wait: Flags.boolean({ summary: "Return when everything runs, is healthy or has completed" }),
    "wait-timeout": Flags.integer({
      min: 1,
      helpValue: "SECONDS",
      summary: "Give up waiting, with status 124",
    }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Start);
    const context = await this.context(flags);
    const { start } = await import("../../verbs/start.ts");
    const options = { services, wait: flags.wait, waitTimeout: flags["wait-timeout"] };
    await start(this.source(flags, services), options, context);
  }
}
