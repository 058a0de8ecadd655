import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { writeArchive } from "../export.ts";

export class ContainerExport extends SlipwayCommand {
  static override summary = "Write a container's file system into a tar archive";
  static override examples = [
    "slipway container export -o web.tar web",
    "slipway container export web | tar -t",
  ];
  static override args = { container: Args.string({ required: true, description: "Name or id" }) };
  static override flags = {
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "Where to; else standard output" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ContainerExport);
    const { engine } = await this.context(flags);
    await writeArchive(() => engine.exportContainer(args.container), flags.output);
  }
}
