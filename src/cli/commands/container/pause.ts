import { SlipwayCommand } from "../../base.ts";
import { namesArg } from "../../objects.ts";

export class ContainerPause extends SlipwayCommand {
  static override summary = "Freeze the processes of containers";
  static override examples = ["slipway container pause web"];
  static override args = namesArg("Containers");

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerPause);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.pauseContainer(name),
      (name) => this.print(name),
    );
  }
}
