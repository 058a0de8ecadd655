import { SlipwayCommand } from "../../base.ts";
import { forceFlag, namesArg } from "../../objects.ts";

export class ImageRm extends SlipwayCommand {
  static override summary = "Remove images";
  static override examples = ["slipway image rm shop-web", "slipway image rm -f debian:bookworm"];
  static override args = namesArg("Names or ids");
  static override flags = { force: forceFlag };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ImageRm);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.removeImage(name, { force: flags.force }).then(() => undefined),
      (name) => this.print(name),
    );
  }
}
