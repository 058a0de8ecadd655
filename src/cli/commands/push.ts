import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { dryRunFlag, servicesArg } from "../options.ts";

export class Push extends SlipwayCommand {
  static override summary = "Push the images that services build";
  static override examples = ["slipway push", "slipway push web"];
  static override args = servicesArg;
  static override flags = {
    "dry-run": dryRunFlag,
    "include-deps": Flags.boolean({ summary: "Also the services they depend on" }),
    "ignore-push-failures": Flags.boolean({ summary: "Go on with what can be pushed, and end well" }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Push);
    const context = await this.context(flags.quiet ? { ...flags, progress: "quiet" } : flags);
    const { push } = await import("../../verbs/transfer.ts");
    const dependencies = flags["include-deps"];
    await push(
      this.source(flags, services),
      { services, dependencies, ignoreFailures: flags["ignore-push-failures"] },
      context,
    );
  }
}
