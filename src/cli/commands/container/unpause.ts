import { SlipwayCommand } from "../../base.ts";
import { namesArg } from "../../objects.ts";

export class ContainerUnpause extends SlipwayCommand {
  static override summary = "Let frozen containers go on";
  static override examples = ["slipway container unpause web"];
  static override args = namesArg("Containers");

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerUnpause);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.unpauseContainer(name),
      (name) => this.print(name),
    );
  }
}
