import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";

export class ImageTag extends SlipwayCommand {
  static override summary = "Give an image one more name";
  static override examples = [
    "slipway image tag shop-web registry.example/shop/web:1",
    "slipway tag 1302465195df web:old",
  ];
  static override args = {
    image: Args.string({ required: true, description: "Name or id" }),
    name: Args.string({ required: true, description: "The new name" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImageTag);
    const { engine } = await this.context(flags);
    await engine.tagImage(args.image, args.name);
  }
}
