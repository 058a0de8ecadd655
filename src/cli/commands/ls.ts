import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class Ls extends SlipwayCommand {
  static override summary = "List the projects that the engine has containers of";
  static override examples = ["slipway ls", "slipway ls -a --format json"];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Stopped ones too" }),
    quiet: Flags.boolean({ char: "q", summary: "Only names" }),
    format: Flags.string({ options: ["table", "json"], default: "table", summary: "Form of the output" }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Ls);
    const { engine } = await this.context(flags);
    const { projects } = await import("../../verbs/inventory.ts");
    const rows = await projects(flags.all, engine);
    if (flags.quiet) for (const { Name } of rows) this.print(Name);
    else if (flags.format === "json") this.print(JSON.stringify(rows));
    else {
      const { tableText } = await import("../../ui/table.ts");
      this.print(
        tableText(
          ["NAME", "STATUS", "CONFIG FILES"],
          rows.map(({ Name, Status, ConfigFiles }) => [Name, Status, ConfigFiles]),
        ),
      );
    }
  }
}
