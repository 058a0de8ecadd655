import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ManifestPush extends SlipwayCommand {
  static override summary = "Push a list, and what its repository lacks of the images in it";
  static override examples = ["slipway manifest push registry.example/web:1"];
  static override args = { list: Args.string({ required: true, description: "Name of the list" }) };
  static override flags = {
    purge: Flags.boolean({ char: "p", summary: "Forget the list when it is pushed" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ManifestPush);
    const context = await this.context(flags);
    const { pushList } = await import("../../../verbs/objects/manifests.ts");
    const tell = (text: string): void => void process.stderr.write(`${text}\n`);
    this.print(await pushList(args.list, flags.purge, tell, context));
  }
}
