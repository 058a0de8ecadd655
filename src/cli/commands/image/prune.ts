import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { pruneFlags, readFilters } from "../../objects.ts";

export class ImagePrune extends SlipwayCommand {
  static override summary = "Remove images that nothing uses";
  static override examples = ["slipway image prune --all", "slipway image prune --filter until=24h"];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Also those that have a name" }),
    ...pruneFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ImagePrune);
    const { engine } = await this.context(flags);
    const { ImagesDeleted, SpaceReclaimed } = await engine.pruneImages({
      ...readFilters(flags.filter),
      dangling: [String(!flags.all)],
    });
    for (const name of ImagesDeleted ?? []) this.print(`${name.Deleted ?? name.Untagged}`);
    this.print(`reclaimed ${size(SpaceReclaimed ?? 0)}`);
  }
}
