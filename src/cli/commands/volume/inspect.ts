import { SlipwayCommand } from "../../base.ts";
import { printInspected } from "../../format.ts";
import { inspectFlags, namesArg } from "../../objects.ts";

export class VolumeInspect extends SlipwayCommand {
  static override summary = "Show all that is known of volumes, as JSON";
  static override examples = ["slipway volume inspect shop_data"];
  static override args = namesArg("Names or ids");
  static override flags = inspectFlags;

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(VolumeInspect);
    const { engine } = await this.context(flags);
    const found = await Promise.all(words.map((name) => engine.inspectVolume(name)));
    await printInspected(found, flags.format, (line) => this.print(line));
  }
}
