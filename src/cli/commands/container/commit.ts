import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import { commitFlags, commitOptions } from "../commit.ts";

export class ContainerCommit extends SlipwayCommand {
  static override summary = "Make an image of what a container has become";
  static override examples = ["slipway container commit -m 'with tools' web web:tried"];
  static override args = {
    container: Args.string({ required: true, description: "Name or id" }),
    image: Args.string({ description: "Name of the image" }),
  };
  static override flags = commitFlags;

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ContainerCommit);
    const { engine } = await this.context(flags);
    const { Id } = await engine.commitContainer(args.container, commitOptions(args.image, flags));
    this.print(Id);
  }
}
