import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class Wait extends SlipwayCommand {
  static override summary = "Wait until services have ended, and print their exit statuses";
  static override examples = ["slipway wait tests", "slipway wait --down-project tests"];
  static override args = {
    service: Args.string({
      required: true,
      multiple: true,
      description: "Services to wait for",
    }),
  };
  static override flags = {
    "down-project": Flags.boolean({ summary: "Take the project down as soon as one has ended" }),
  };

  override async run(): Promise<number> {
    const { flags, words: services } = await this.parse(Wait);
    const context = await this.context(flags);
    const { waitFor } = await import("../../verbs/wait.ts");
    return await waitFor(
      this.source(flags, services),
      services,
      flags["down-project"],
      (code) => this.print(String(code)),
      context,
    );
  }
}
