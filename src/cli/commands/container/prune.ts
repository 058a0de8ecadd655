import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";

export class ContainerPrune extends SlipwayCommand {
  static override summary = "Remove stopped containers";
  static override examples = ["slipway container prune"];

  override async run(): Promise<void> {
    const { flags } = await this.parse(ContainerPrune);
    const { engine } = await this.context(flags);
    const { ContainersDeleted, SpaceReclaimed } = await engine.pruneContainers();
    for (const name of ContainersDeleted ?? []) this.print(name);
    this.print(`reclaimed ${size(SpaceReclaimed ?? 0)}`);
  }
}
