import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";
import { pruneFlags, readFilters } from "../../objects.ts";

export class ContainerPrune extends SlipwayCommand {
  static override summary = "Remove stopped containers";
  static override examples = ["slipway container prune", "slipway container prune --filter until=24h"];
  static override flags = pruneFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(ContainerPrune);
    const { engine } = await this.context(flags);
    const { ContainersDeleted, SpaceReclaimed } = await engine.pruneContainers(readFilters(flags.filter));
    for (const name of ContainersDeleted ?? []) this.print(name);
    this.print(`reclaimed ${size(SpaceReclaimed ?? 0)}`);
  }
}
