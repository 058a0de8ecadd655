import { SlipwayCommand } from "../../base.ts";
import { forceFlag, namesArg } from "../../objects.ts";

export class VolumeRm extends SlipwayCommand {
  static override summary = "Remove volumes: their data is gone";
  static override examples = ["slipway volume rm shop_data"];
  static override args = namesArg("Volumes");
  static override flags = { force: forceFlag };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(VolumeRm);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.removeVolume(name, { force: flags.force }),
      (name) => this.print(name),
    );
  }
}
