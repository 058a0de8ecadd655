import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg, timeoutFlag } from "../options.ts";

export class Down extends SlipwayCommand {
  static override summary = "Stop and remove containers and networks of the project";
  static override description = "Data in named volumes stays, unless -v is given.";
  static override examples = [
    "slipway down",
    "slipway down -v",
    "slipway down --rmi local --remove-orphans",
    "slipway -p shop down",
  ];
  static override args = servicesArg;
  static override flags = {
    volumes: Flags.boolean({ char: "v", summary: "Remove volumes too: their data is gone" }),
    rmi: Flags.string({ options: ["local", "all"], summary: "Remove images: those built here, or all" }),
    "remove-orphans": Flags.boolean({
      summary: "Remove containers of services that are no longer in the file",
    }),
    timeout: timeoutFlag,
    "dry-run": Flags.boolean({ summary: "Show what would be removed, and do nothing" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Down);
    const context = await this.context(flags);
    const { down } = await import("../../verbs/down.ts");
    const plan = await down(
      this.source({ ...flags, profile: flags.profile ?? ["*"] }, services),
      {
        services,
        volumes: flags.volumes,
        images: flags.rmi as "local" | "all" | undefined,
        removeOrphans: flags["remove-orphans"],
        timeout: flags.timeout,
      },
      context,
      flags["dry-run"],
    );
    if (!flags["dry-run"]) return;
    const { printPlan } = await import("../../reconcile/print.ts");
    this.print(printPlan(plan));
  }
}
