import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

export class Watch extends SlipwayCommand {
  static override summary = "Apply changed files to running services, as develop.watch says";
  static override examples = ["slipway watch", "slipway watch web", "slipway watch --no-up web"];
  static override args = servicesArg;
  static override flags = {
    "no-up": Flags.boolean({ summary: "Do not bring the services up first" }),
    quiet: Flags.boolean({ summary: "Show no progress" }),
  };

  override async run(): Promise<number> {
    const { flags, words: services } = await this.parse(Watch);
    const context = await this.context(flags.quiet ? { ...flags, progress: "quiet" } : flags);
    const source = this.source(flags, services);
    const { watch } = await import("../../verbs/watch.ts");
    if (!flags["no-up"]) {
      const { up } = await import("../../verbs/up.ts");
      const { PLAN_DEFAULTS } = await import("../../reconcile/options.ts");
      const options = {
        build: "missing",
        pull: undefined,
        dependencies: true,
        wait: true,
        waitTimeout: undefined,
      } as const;
      await up(source, { ...PLAN_DEFAULTS, ...options, services }, context);
    }
    await watch(source, { services }, context);
    return 130;
  }
}
