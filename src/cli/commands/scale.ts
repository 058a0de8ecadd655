import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { readScale } from "../options.ts";

export class Scale extends SlipwayCommand {
  static override summary = "Bring services to a number of containers";
  static override examples = ["slipway scale web=3", "slipway scale --no-deps web=2 worker=4"];
  static override args = {
    count: Args.string({ required: true, multiple: true, description: "SERVICE=NUMBER" }),
  };
  static override flags = {
    "no-deps": Flags.boolean({ summary: "Leave services alone that are only depended on" }),
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(Scale);
    const context = await this.context(flags);
    const counts = readScale(words);
    const { scale } = await import("../../verbs/scale.ts");
    await scale(this.source(flags, Object.keys(counts)), counts, !flags["no-deps"], context);
  }
}
