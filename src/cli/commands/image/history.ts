import { size } from "../../../ui/size.ts";
import { ago } from "../../../verbs/ps.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import { listFlags, printList, shortId } from "../../objects.ts";

export class ImageHistory extends SlipwayCommand {
  static override summary = "Show what an image was made of";
  static override examples = ["slipway image history shop-web"];
  static override args = {
    image: Args.string({ required: true, description: "Name or id" }),
  };
  static override flags = { quiet: listFlags.quiet, format: listFlags.format };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImageHistory);
    const { engine } = await this.context(flags);
    await printList(
      await engine.imageHistory(args.image),
      [
        ["IMAGE", ({ Id }) => (Id.startsWith("sha256:") ? shortId(Id) : Id)],
        ["CREATED", ({ Created }) => `${ago(Date.now() / 1000 - Created)} ago`],
        ["CREATED BY", ({ CreatedBy }) => (CreatedBy.length > 60 ? `${CreatedBy.slice(0, 59)}…` : CreatedBy)],
        ["SIZE", ({ Size }) => size(Size)],
        ["COMMENT", ({ Comment }) => Comment],
      ],
      ({ Id }) => shortId(Id),
      flags,
      (line) => this.print(line),
    );
  }
}
