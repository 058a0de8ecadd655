import { SlipwayCommand } from "../base.ts";
import { listFlags, printList } from "../objects.ts";
import { servicesArg } from "../options.ts";

export class Volumes extends SlipwayCommand {
  static override summary = "List the project's volumes";
  static override examples = ["slipway volumes", "slipway volumes -q db"];
  static override args = servicesArg;
  static override flags = { quiet: listFlags.quiet, format: listFlags.format };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Volumes);
    const { engine } = await this.context(flags);
    const { volumes } = await import("../../verbs/volumes.ts");
    await printList(
      await volumes(this.source(flags, services), services, engine),
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
