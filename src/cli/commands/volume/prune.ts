import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { pruneFlags, readFilters } from "../../objects.ts";

export class VolumePrune extends SlipwayCommand {
  static override summary = "Remove volumes that nothing uses: their data is gone";
  static override examples = ["slipway volume prune --all"];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Also those that have a name" }),
    ...pruneFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(VolumePrune);
    const { engine } = await this.context(flags);
    const { VolumesDeleted, SpaceReclaimed } = await engine.pruneVolumes({
      ...readFilters(flags.filter),
      ...(flags.all && { all: ["true"] }),
    });
    for (const name of VolumesDeleted ?? []) this.print(name);
    this.print(`reclaimed ${size(SpaceReclaimed ?? 0)}`);
  }
}
