import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import { copyFlags } from "../cp.ts";

export class ContainerCp extends SlipwayCommand {
  static override summary = "Copy files between here and a container";
  static override examples = [
    "slipway container cp web:/var/log/app.log .",
    "slipway container cp -a ./conf web:/etc/app",
    "slipway container cp web:/srv - | tar -t",
  ];
  static override args = {
    from: Args.string({ required: true, description: "CONTAINER:PATH, a path here, or - for a tar archive" }),
    to: Args.string({ required: true, description: "A path here, CONTAINER:PATH, or - for a tar archive" }),
  };
  static override flags = copyFlags;

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ContainerCp);
    const { engine } = await this.context(flags);
    const { copyBetween, readPlace } = await import("../../../verbs/copy.ts");
    const find = async (name: string): Promise<readonly string[]> => [name];
    await copyBetween(
      readPlace(args.from),
      readPlace(args.to),
      find,
      { archive: flags.archive, followLink: flags["follow-link"] },
      engine,
    );
  }
}
