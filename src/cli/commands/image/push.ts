import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ImagePush extends SlipwayCommand {
  static override summary = "Push an image to its registry";
  static override examples = ["slipway image push registry.example/shop/web:1"];
  static override args = {
    image: Args.string({ required: true, description: "Name of the image" }),
  };
  static override flags = {
    "all-tags": Flags.boolean({ char: "a", summary: "Every tag that is here of a name without one" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImagePush);
    const context = await this.context(flags);
    const { pushImage } = await import("../../../verbs/build.ts");
    await pushImage(args.image, context, { allTags: flags["all-tags"] });
  }
}
