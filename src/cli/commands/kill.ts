import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { dryRunFlag, servicesArg } from "../options.ts";

export class Kill extends SlipwayCommand {
  static override summary = "Send a signal to the containers of services";
  static override examples = ["slipway kill", "slipway kill -s SIGHUP web"];
  static override args = servicesArg;
  static override flags = {
    "dry-run": dryRunFlag,
    signal: Flags.string({ char: "s", default: "SIGKILL", helpValue: "SIGNAL", summary: "Which signal" }),
    "remove-orphans": Flags.boolean({
      summary: "Remove containers of services that are no longer in the file",
    }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Kill);
    const context = await this.context(flags);
    const { kill } = await import("../../verbs/each.ts");
    await kill(
      this.source(flags, services),
      services,
      { signal: flags.signal, orphans: flags["remove-orphans"] },
      context,
    );
  }
}
