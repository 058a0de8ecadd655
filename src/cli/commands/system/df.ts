import { size } from "../../../ui/size.ts";
import { SlipwayCommand } from "../../base.ts";

export class SystemDf extends SlipwayCommand {
  static override summary = "Show what images, containers, volumes and the build cache take on disk";
  static override examples = ["slipway system df"];

  override async run(): Promise<void> {
    const { flags } = await this.parse(SystemDf);
    const { engine } = await this.context(flags);
    const { LayersSize, Images, Containers, Volumes, BuildCache } = await engine.diskUsage();
    const sum = (sizes: readonly (number | undefined)[]): number =>
      sizes.reduce<number>((all, one) => all + Math.max(0, one ?? 0), 0);
    const { tableText } = await import("../../../ui/table.ts");
    this.print(
      tableText(
        ["TYPE", "TOTAL", "SIZE"],
        [
          ["Images", String(Images?.length ?? 0), size(LayersSize ?? 0)],
          [
            "Containers",
            String(Containers?.length ?? 0),
            size(sum((Containers ?? []).map(({ SizeRw }) => SizeRw))),
          ],
          [
            "Volumes",
            String(Volumes?.length ?? 0),
            size(sum((Volumes ?? []).map(({ UsageData }) => UsageData?.Size))),
          ],
          [
            "Build cache",
            String(BuildCache?.length ?? 0),
            size(sum((BuildCache ?? []).map(({ Size }) => Size))),
          ],
        ],
      ),
    );
  }
}
