import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";

export class ContainerRename extends SlipwayCommand {
  static override summary = "Give a container another name";
  static override examples = ["slipway container rename web old-web"];
  static override args = {
    container: Args.string({ required: true, description: "Name or id" }),
    name: Args.string({ required: true, description: "Its new name" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ContainerRename);
    const { engine } = await this.context(flags);
    await engine.renameContainer(args.container, args.name);
  }
}
