import { SlipwayCommand } from "../../base.ts";
import { listFlags, printList, readFilters, shortId } from "../../objects.ts";

export class NetworkLs extends SlipwayCommand {
  static override summary = "List networks";
  static override examples = ["slipway network ls", "slipway network ls --filter driver=bridge -q"];
  static override flags = listFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(NetworkLs);
    const { engine } = await this.context(flags);
    await printList(
      await engine.listNetworks(readFilters(flags.filter)),
      [
        ["NETWORK ID", ({ Id }) => shortId(Id)],
        ["NAME", ({ Name }) => Name],
        ["DRIVER", ({ Driver }) => Driver],
        ["SCOPE", ({ Scope }) => Scope],
        ["SUBNET", ({ IPAM }) => (IPAM?.Config ?? []).map(({ Subnet }) => Subnet).join(", ")],
      ],
      ({ Id }) => shortId(Id),
      flags,
      (line) => this.print(line),
    );
  }
}
