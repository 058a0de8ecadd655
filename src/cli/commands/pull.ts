import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { dryRunFlag, servicesArg } from "../options.ts";

export class Pull extends SlipwayCommand {
  static override summary = "Pull the images of services";
  static override examples = [
    "slipway pull",
    "slipway pull --policy missing web",
    "slipway pull --include-deps web",
  ];
  static override args = servicesArg;
  static override flags = {
    "dry-run": dryRunFlag,
    policy: Flags.string({
      options: ["always", "missing"],
      default: "always",
      summary: "Also what is here already?",
    }),
    "include-deps": Flags.boolean({ summary: "Also the services they depend on" }),
    "ignore-buildable": Flags.boolean({ summary: "Not those that can be built" }),
    "ignore-pull-failures": Flags.boolean({ summary: "Go on with what can be pulled, and end well" }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Pull);
    const context = await this.context(flags.quiet ? { ...flags, progress: "quiet" } : flags);
    const { pull } = await import("../../verbs/transfer.ts");
    await pull(
      this.source(flags, services),
      {
        services,
        dependencies: flags["include-deps"],
        onlyMissing: flags.policy === "missing",
        ignoreBuildable: flags["ignore-buildable"],
        ignoreFailures: flags["ignore-pull-failures"],
      },
      context,
    );
  }
}
