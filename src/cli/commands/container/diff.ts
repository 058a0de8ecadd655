import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";

export class ContainerDiff extends SlipwayCommand {
  static override summary = "Show what a container has changed in its file system";
  static override description = "C is changed, A added, D deleted.";
  static override examples = ["slipway container diff web"];
  static override args = { container: Args.string({ required: true, description: "Name or id" }) };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ContainerDiff);
    const { engine } = await this.context(flags);
    for (const { Path, Kind } of await engine.containerChanges(args.container))
      this.print(`${"CAD"[Kind]} ${Path}`);
  }
}
