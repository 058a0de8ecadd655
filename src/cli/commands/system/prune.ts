import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class SystemPrune extends SlipwayCommand {
  static override summary = "Remove what nothing uses: containers, networks, images, build cache";
  static override examples = ["slipway system prune", "slipway system prune --all --volumes"];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Also images that have a name" }),
    volumes: Flags.boolean({ summary: "Also volumes: their data is gone" }),
    force: Flags.boolean({ char: "f", hidden: true }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(SystemPrune);
    const { engine } = await this.context(flags);
    // In this order: what containers hold is free once they are gone.
    let freed = (await engine.pruneContainers()).SpaceReclaimed ?? 0;
    await engine.pruneNetworks();
    if (flags.volumes) freed += (await engine.pruneVolumes()).SpaceReclaimed ?? 0;
    freed += (await engine.pruneImages({ dangling: [String(!flags.all)] })).SpaceReclaimed ?? 0;
    freed += (await engine.pruneBuilds({ all: flags.all })).SpaceReclaimed ?? 0;
    this.print(`reclaimed ${size(freed)}`);
  }
}
