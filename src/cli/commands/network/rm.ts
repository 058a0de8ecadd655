import { SlipwayCommand } from "../../base.ts";
import { namesArg } from "../../objects.ts";

export class NetworkRm extends SlipwayCommand {
  static override summary = "Remove networks";
  static override examples = ["slipway network rm shop_default"];
  static override args = namesArg("Networks");

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(NetworkRm);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.removeNetwork(name),
      (name) => this.print(name),
    );
  }
}
