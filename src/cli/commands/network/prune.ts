import { SlipwayCommand } from "../../base.ts";
import { pruneFlags, readFilters } from "../../objects.ts";

export class NetworkPrune extends SlipwayCommand {
  static override summary = "Remove networks that nothing uses";
  static override examples = ["slipway network prune", "slipway network prune --filter until=24h"];
  static override flags = pruneFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(NetworkPrune);
    const { engine } = await this.context(flags);
    const { NetworksDeleted } = await engine.pruneNetworks(readFilters(flags.filter));
    for (const name of NetworksDeleted ?? []) this.print(name);
  }
}
