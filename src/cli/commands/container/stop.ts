import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { namesArg } from "../../objects.ts";
import { timeoutFlag } from "../../options.ts";

export class ContainerStop extends SlipwayCommand {
  static override summary = "Stop containers";
  static override examples = ["slipway container stop web", "slipway container stop -t 1 web db"];
  static override args = namesArg("Containers");
  static override flags = {
    timeout: timeoutFlag,
    signal: Flags.string({ char: "s", helpValue: "SIGNAL", summary: "Signal instead of its own" }),
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerStop);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) =>
        engine.stopContainer(name, {
          ...(flags.timeout !== undefined && { timeout: flags.timeout }),
          ...(flags.signal && { signal: flags.signal }),
        }),
      (name) => this.print(name),
    );
  }
}
