import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class BuilderPrune extends SlipwayCommand {
  static override summary = "Remove the build cache";
  static override examples = ["slipway builder prune --all"];
  static override flags = { all: Flags.boolean({ char: "a", summary: "Also what images still use" }) };

  override async run(): Promise<void> {
    const { flags } = await this.parse(BuilderPrune);
    const { engine } = await this.context(flags);
    // dockerode leaves the list out of its type.
    const pruned = (await engine.pruneBuilds({ all: flags.all })) as {
      CachesDeleted?: string[];
      SpaceReclaimed?: number;
    };
    const { CachesDeleted, SpaceReclaimed } = pruned;
    for (const name of CachesDeleted ?? []) this.print(name);
    this.print(`reclaimed ${size(SpaceReclaimed ?? 0)}`);
  }
}
