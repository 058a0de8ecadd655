import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export const copyFlags = {
  archive: Flags.boolean({ char: "a", summary: "Keep the files' owners" }),
  "follow-link": Flags.boolean({ char: "L", summary: "Copy what a link leads to" }),
};

export class Cp extends SlipwayCommand {
  static override summary = "Copy files between here and a service's container";
  static override examples = [
    "slipway cp web:/var/log/app.log .",
    "slipway cp ./seed.sql db:/tmp/seed.sql",
    "slipway cp --index 2 conf/ worker:/etc/app",
  ];
  static override args = {
    from: Args.string({ required: true, description: "SERVICE:PATH, or a path here" }),
    to: Args.string({ required: true, description: "A path here, or SERVICE:PATH" }),
  };
  static override flags = {
    ...copyFlags,
    all: Flags.boolean({ hidden: true, summary: "All containers of the service, as it is anyway" }),
    index: Flags.integer({
      min: 1,
      summary: "Which container of a scaled service; else from the first, to all",
    }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Cp);
    const { engine } = await this.context(flags);
    const { copy, readPlace } = await import("../../verbs/copy.ts");
    const [from, to] = [readPlace(args.from), readPlace(args.to)];
    await copy(
      this.source(
        flags,
        [from.service ?? to.service ?? ""].filter((name) => name !== ""),
      ),
      from,
      to,
      { index: flags.index, archive: flags.archive, followLink: flags["follow-link"] },
      engine,
    );
  }
}
