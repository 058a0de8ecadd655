import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";
import { readSize } from "../../build-options.ts";
import * as Flags from "../../flags.ts";
import { readFilters } from "../../objects.ts";

export class BuilderPrune extends SlipwayCommand {
  static override summary = "Remove the build cache";
  static override examples = ["slipway builder prune --all"];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Also what images still use, cache mounts and fetched files" }),
    filter: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "KEY=VALUE",
      summary: "Only what fits: until=24h, id, type, description, shared, private",
    }),
    "keep-storage": Flags.string({ helpValue: "SIZE", summary: "Leave the newest results up to this size" }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(BuilderPrune);
    const { engine } = await this.context(flags);
    // dockerode leaves the list out of its type.
    const pruned = (await engine.pruneBuilds({
      all: flags.all,
      filters: readFilters(flags.filter),
      ...(flags["keep-storage"] && { keepBytes: readSize(flags["keep-storage"], "--keep-storage") }),
    })) as {
      CachesDeleted?: string[];
      SpaceReclaimed?: number;
    };
    const { CachesDeleted, SpaceReclaimed } = pruned;
    for (const name of CachesDeleted ?? []) this.print(name);
    this.print(`reclaimed ${size(SpaceReclaimed ?? 0)}`);
  }
}
