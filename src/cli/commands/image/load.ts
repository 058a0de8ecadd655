import { AppError } from "../../../errors.ts";
import { archiveFile } from "../../archive-file.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ImageLoad extends SlipwayCommand {
  static override summary = "Read images from a tar archive";
  static override examples = ["slipway image load -i shop.tar", "slipway load < busybox.tar"];
  static override flags = {
    input: Flags.string({ char: "i", helpValue: "FILE", summary: "Where from; else standard input" }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ImageLoad);
    if (flags.input === undefined && process.stdin.isTTY) {
      throw new AppError("USAGE", "an archive does not come from a terminal", {
        hint: "Give -i FILE, or pipe it.",
      });
    }
    const { engine } = await this.context(flags);
    const tar = flags.input === undefined ? process.stdin : await archiveFile(flags.input, "oci-layout");
    await engine.loadImages(tar, ({ stream }) => {
      if (stream?.trim()) this.print(stream.trim());
    });
  }
}
