import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { forceFlag, namesArg } from "../../objects.ts";

export class ContainerRm extends SlipwayCommand {
  static override summary = "Remove containers";
  static override examples = ["slipway container rm web", "slipway container rm -fv web db"];
  static override args = namesArg("Containers");
  static override flags = {
    force: forceFlag,
    volumes: Flags.boolean({ char: "v", summary: "Their anonymous volumes too" }),
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerRm);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.removeContainer(name, { force: flags.force, volumes: flags.volumes }),
      (name) => this.print(name),
    );
  }
}
