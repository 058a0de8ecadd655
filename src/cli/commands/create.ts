import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import {
  buildFlags,
  dryRunFlag,
  imageOptions,
  readScale,
  recreateFlags,
  recreatePolicy,
  scaleFlag,
  servicesArg,
} from "../options.ts";

export class Create extends SlipwayCommand {
  static override summary = "Create the containers of services without starting them";
  static override examples = ["slipway create", "slipway create --build web"];
  static override args = servicesArg;
  static override flags = {
    ...buildFlags,
    ...recreateFlags,
    scale: scaleFlag,
    "dry-run": dryRunFlag,
    yes: Flags.boolean({ char: "y", hidden: true }),
    "remove-orphans": Flags.boolean({
      summary: "Remove containers of services that are no longer in the file",
    }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Create);
    const connected = await this.context(flags);
    const context = this.quieted(connected, { pull: flags["quiet-pull"], build: flags["quiet-build"] });
    const recreate = recreatePolicy(flags);
    const source = this.source(flags, services);
    const options = {
      ...imageOptions(flags),
      services,
      dependencies: true,
      recreate,
      recreateDependencies: recreate === "never" ? "never" : "diverged",
      scale: readScale(flags.scale),
      removeOrphans: flags["remove-orphans"],
      start: false,
      renewVolumes: false,
      timeout: undefined,
      wait: false,
      waitTimeout: undefined,
    } as const;
    if (flags["dry-run"]) {
      const { plan } = await import("../../verbs/plan.ts");
      const { printPlan } = await import("../../reconcile/print.ts");
      return this.print(printPlan(await plan(source, options, context)));
    }
    const { up } = await import("../../verbs/up.ts");
    await up(source, options, context);
  }
}
