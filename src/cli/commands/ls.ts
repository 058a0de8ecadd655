import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { printRows } from "../format.ts";
import { formatFlag, readFilters } from "../objects.ts";

export class Ls extends SlipwayCommand {
  static override summary = "List the projects that the engine has containers of";
  static override examples = ["slipway ls", "slipway ls -a --format json"];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Stopped ones too" }),
    quiet: Flags.boolean({ char: "q", summary: "Only names" }),
    format: formatFlag,
    filter: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "name=TEXT",
      summary: "Only projects whose name has this in it",
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Ls);
    const { engine } = await this.context(flags);
    const { projects } = await import("../../verbs/inventory.ts");
    const { name: names = [] } = readFilters(flags.filter);
    const all = await projects(flags.all, engine);
    const rows = all.filter(({ Name }) => names.length === 0 || names.some((part) => Name.includes(part)));
    if (flags.quiet) for (const { Name } of rows) this.print(Name);
    else if (flags.format === "json") this.print(JSON.stringify(rows));
    else {
      await printRows(
        rows,
        [
          ["NAME", ({ Name }) => Name],
          ["STATUS", ({ Status }) => Status],
          ["CONFIG FILES", ({ ConfigFiles }) => ConfigFiles],
        ],
        flags.format,
        (line) => this.print(line),
      );
    }
  }
}
