import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import {
  buildFlags,
  imageOptions,
  readScale,
  recreateFlags,
  recreatePolicy,
  scaleFlag,
  servicesArg,
} from "../options.ts";

export class PlanCommand extends SlipwayCommand {
  static override summary = "Show what `up` would do, and why, without doing it";
  static override examples = [
    "slipway plan",
    "slipway plan --exit-code",
    "slipway plan --steps",
    "slipway plan --format json web",
  ];
  static override args = servicesArg;
  static override flags = {
    "exit-code": Flags.boolean({ summary: "End with 2 when there is something to do" }),
    steps: Flags.boolean({ summary: "Show the operations and their order" }),
    format: Flags.string({ options: ["pretty", "json"], default: "pretty", summary: "Form of the output" }),
    ...buildFlags,
    ...recreateFlags,
    "no-deps": Flags.boolean({ summary: "Leave services alone that are only depended on" }),
    scale: scaleFlag,
    "remove-orphans": Flags.boolean({
      summary: "Remove containers of services that are no longer in the file",
    }),
  };

  override async run(): Promise<number> {
    const { flags, words: services } = await this.parse(PlanCommand);
    const context = await this.context(flags);
    const { plan } = await import("../../verbs/plan.ts");
    const recreate = recreatePolicy(flags);
    const result = await plan(
      this.source(flags, services),
      {
        ...imageOptions(flags),
        services,
        dependencies: !flags["no-deps"],
        recreate,
        recreateDependencies: recreate === "never" ? "never" : "diverged",
        scale: readScale(flags.scale),
        removeOrphans: flags["remove-orphans"],
        start: true,
        renewVolumes: false,
        timeout: undefined,
      },
      context,
    );
    const { printPlan, printSteps } = await import("../../reconcile/print.ts");
    for (const warning of result.warnings) process.stderr.write(`! ${warning}\n`);
    if (flags.format === "json") this.print(JSON.stringify({ v: 1, ...result }));
    else this.print(flags.steps ? printSteps(result.steps) : printPlan(result));
    return flags["exit-code"] && result.steps.length + result.images > 0 ? 2 : 0;
  }
}
