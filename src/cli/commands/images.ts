import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { servicesArg } from "../options.ts";

export class Images extends SlipwayCommand {
  static override summary = "List the images that the project's containers run";
  static override examples = ["slipway images", "slipway images --format json", "slipway images -q web"];
  static override args = servicesArg;
  static override flags = {
    quiet: Flags.boolean({ char: "q", summary: "Only ids" }),
    format: Flags.string({ options: ["table", "json"], default: "table", summary: "Form of the output" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Images);
    const { engine } = await this.context(flags);
    const { images } = await import("../../verbs/inventory.ts");
    const rows = await images(this.source(flags, services), services, engine);
    if (flags.format === "json") return this.print(JSON.stringify(rows));
    if (flags.quiet) {
      for (const id of new Set(rows.map(({ ID }) => ID))) this.print(id);
      return;
    }
    const { tableText } = await import("../../ui/table.ts");
    const { size } = await import("../../ui/size.ts");
    const cells = rows.map(({ ContainerName, Repository, Tag, ID, Size }) => [
      ContainerName,
      Repository,
      Tag,
      ID.replace("sha256:", "").slice(0, 12),
      size(Size),
    ]);
    this.print(tableText(["CONTAINER", "REPOSITORY", "TAG", "IMAGE ID", "SIZE"], cells));
  }
}
