import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../../errors.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { namesArg } from "../../objects.ts";

export class ImageSave extends SlipwayCommand {
  static override summary = "Write images into a tar archive";
  static override examples = [
    "slipway image save -o shop.tar shop-web shop-api",
    "slipway save busybox | gzip > busybox.tar.gz",
  ];
  static override args = namesArg("Names or ids");
  static override flags = {
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "Where to; else standard output" }),
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ImageSave);
    if (flags.output === undefined && process.stdout.isTTY) {
      throw new AppError("USAGE", "an archive does not belong on a terminal", {
        hint: "Give -o FILE, or pipe it.",
      });
    }
    const { engine } = await this.context(flags);
    const tar = await engine.saveImages(words);
    await pipeline(tar, flags.output === undefined ? process.stdout : createWriteStream(flags.output), {
      end: flags.output !== undefined,
    });
  }
}
