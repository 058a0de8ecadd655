import { writeFileSync } from "node:fs";
import { AppError } from "../../../errors.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import { createBody } from "../../create/body.ts";
import { createFlags } from "../../create/flags.ts";

export class ContainerCreate extends SlipwayCommand {
  static override summary = "Make a container of an image without starting it";
  static override examples = [
    "slipway container create --name web -p 8080:80 shop-web",
    "slipway container create busybox sleep 60",
  ];
  static override readonly passThrough = true;
  static override strict = false;
  static override args = {
    image: Args.string({ required: true, description: "Image" }),
    command: Args.string({ multiple: true, description: "Program and arguments, instead of the image's" }),
  };
  static override flags = createFlags;

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerCreate);
    const [image, ...command] = words;
    if (image === undefined) throw new AppError("USAGE", "create needs an image");
    const connected = await this.context(flags);
    const context = this.quieted(connected, { pull: flags.quiet, build: false });
    const { createContainer } = await import("../../../verbs/objects/run.ts");
    const body = createBody(
      image,
      command,
      { ...flags },
      flags.interactive ? ["stdin", "stdout", "stderr"] : [],
    );
    const { name, platform } = flags;
    const id = await createContainer({ body, name, platform, pull: flags.pull as "missing" }, context);
    if (flags.cidfile !== undefined) writeFileSync(flags.cidfile, id, { flag: "wx" });
    this.print(id);
  }
}
