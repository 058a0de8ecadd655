import { SlipwayCommand } from "../../base.ts";

export class NetworkPrune extends SlipwayCommand {
  static override summary = "Remove networks that nothing uses";
  static override examples = ["slipway network prune"];

  override async run(): Promise<void> {
    const { flags } = await this.parse(NetworkPrune);
    const { engine } = await this.context(flags);
    const { NetworksDeleted } = await engine.pruneNetworks();
    for (const name of NetworksDeleted ?? []) this.print(name);
  }
}
