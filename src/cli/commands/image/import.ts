import { archiveFile } from "../../archive-file.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ImageImport extends SlipwayCommand {
  static override summary = "Make an image of a file system's tar archive";
  static override examples = [
    "slipway image import rootfs.tar my/base:1",
    "tar -C root -c . | slipway image import - base --change 'CMD [\"sh\"]'",
  ];
  static override args = {
    file: Args.string({ required: true, description: "Archive; - is standard input" }),
    name: Args.string({ description: "Name of the image" }),
  };
  static override flags = {
    change: Flags.string({
      char: "c",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "INSTRUCTION",
      summary: "Dockerfile instruction for its settings",
    }),
    message: Flags.string({ char: "m", helpValue: "TEXT", summary: "Remark in its history" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImageImport);
    const { engine } = await this.context(flags);
    await engine.importImage(args.file === "-" ? process.stdin : await archiveFile(args.file, "dir"), {
      ...(args.name && { reference: args.name }),
      ...(flags.change && { changes: flags.change }),
      ...(flags.message && { message: flags.message }),
    });
    if (args.name) this.print(args.name);
  }
}
