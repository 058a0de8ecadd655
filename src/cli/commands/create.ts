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

export class Create extends SlipwayCommand {
  static override summary = "Create the containers of services without starting them";
  static override examples = ["slipway create", "slipway create --build web"];
  static override args = servicesArg;
  static override flags = {
    ...buildFlags,
    ...recreateFlags,
    scale: scaleFlag,
    "remove-orphans": Flags.boolean({
      summary: "Remove containers of services that are no longer in the file",
    }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Create);
    const connected = await this.context(flags);
    const context = flags["quiet-pull"] ? this.quietPull(connected) : connected;
    const { up } = await import("../../verbs/up.ts");
    const recreate = recreatePolicy(flags);
    await up(
      this.source(flags, services),
      {
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
      },
      context,
    );
  }
}
