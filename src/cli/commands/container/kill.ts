import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { namesArg } from "../../objects.ts";

export class ContainerKill extends SlipwayCommand {
  static override summary = "Send a signal to containers";
  static override examples = ["slipway container kill web", "slipway container kill -s SIGHUP web"];
  static override args = namesArg("Containers");
  static override flags = {
    signal: Flags.string({ char: "s", default: "SIGKILL", helpValue: "SIGNAL", summary: "Which signal" }),
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerKill);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.killContainer(name, { signal: flags.signal }),
      (name) => this.print(name),
    );
  }
}
