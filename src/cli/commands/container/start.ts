import { SlipwayCommand } from "../../base.ts";
import { namesArg } from "../../objects.ts";

export class ContainerStart extends SlipwayCommand {
  static override summary = "Start containers";
  static override examples = ["slipway container start web"];
  static override args = namesArg("Containers");

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerStart);
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.startContainer(name),
      (name) => this.print(name),
    );
  }
}
