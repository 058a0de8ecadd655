import { SlipwayCommand } from "../../base.ts";
import { printInspected } from "../../format.ts";
import { inspectFlags, namesArg } from "../../objects.ts";

export class NetworkInspect extends SlipwayCommand {
  static override summary = "Show all that is known of networks, as JSON";
  static override examples = ["slipway network inspect shop_default"];
  static override args = namesArg("Names or ids");
  static override flags = inspectFlags;

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(NetworkInspect);
    const { engine } = await this.context(flags);
    const found = await Promise.all(words.map((name) => engine.inspectNetwork(name)));
    await printInspected(found, flags.format, (line) => this.print(line));
  }
}
