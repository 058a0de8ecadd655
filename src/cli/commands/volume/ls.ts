import { SlipwayCommand } from "../../base.ts";
import { listFlags, printList, readFilters } from "../../objects.ts";

export class VolumeLs extends SlipwayCommand {
  static override summary = "List volumes";
  static override examples = ["slipway volume ls", "slipway volume ls --filter dangling=true"];
  static override flags = listFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(VolumeLs);
    const { engine } = await this.context(flags);
    await printList(
      await engine.listVolumes(readFilters(flags.filter)),
      [
        ["DRIVER", ({ Driver }) => Driver],
        ["VOLUME NAME", ({ Name }) => Name],
      ],
      ({ Name }) => Name,
      flags,
      (line) => this.print(line),
    );
  }
}
