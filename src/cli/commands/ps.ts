import { AppError } from "../../errors.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { formatFlag } from "../objects.ts";
import { servicesArg } from "../options.ts";

export class Ps extends SlipwayCommand {
  static override summary = "List the project's containers";
  static override examples = [
    "slipway ps",
    "slipway ps -a",
    "slipway ps --format json",
    "slipway ps -q web",
    "slipway ps --status exited",
  ];
  static override args = servicesArg;
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Stopped ones too" }),
    quiet: Flags.boolean({ char: "q", summary: "Only ids" }),
    services: Flags.boolean({ summary: "Only names of services" }),
    status: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      options: ["created", "running", "paused", "restarting", "removing", "exited", "dead"],
      summary: "Only containers in this state",
    }),
    format: formatFlag,
    filter: Flags.string({ helpValue: "status=STATE", summary: "The same as --status STATE" }),
    orphans: Flags.boolean({
      default: true,
      allowNo: true,
      summary: "Containers of services that are no longer in the file",
    }),
    "no-trunc": Flags.boolean({ summary: "Whole ids and lines" }),
  };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Ps);
    const { engine } = await this.context(flags);
    const { ps } = await import("../../verbs/ps.ts");
    const status = [...(flags.status ?? []), ...readFilter(flags.filter)];
    const rows = await ps(
      this.source(flags, services),
      { services, all: flags.all, status, orphans: flags.orphans, wholeIds: flags["no-trunc"] },
      engine,
    );
    if (flags.quiet) for (const { ID } of rows) this.print(ID);
    else if (flags.services) for (const name of new Set(rows.map(({ Service }) => Service))) this.print(name);
    else if (flags.format !== "table") {
      const { printRows } = await import("../format.ts");
      await printRows(rows, [], flags.format, (line) => this.print(line));
    } else {
      const { psTable } = await import("../../ui/ps.ts");
      this.print(
        psTable(rows, await this.paint(flags), flags["no-trunc"] ? undefined : process.stdout.columns),
      );
    }
  }
}

/** @throws {AppError} USAGE for any other property: no other is defined */
function readFilter(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  if (text.startsWith("status=")) return [text.slice("status=".length)];
  throw new AppError("USAGE", `--filter ${text}: only status=STATE is known`);
}
