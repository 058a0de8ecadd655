import { size } from "../../../ui/size.ts";
import { confirm } from "../../ask.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { readFilters } from "../../objects.ts";

export class SystemPrune extends SlipwayCommand {
  static override summary = "Remove what nothing uses: containers, networks, images, build cache";
  static override description = "Lists it first, and asks where there is a terminal.";
  static override examples = [
    "slipway system prune",
    "slipway system prune --all --volumes --force",
    "slipway system prune --filter until=24h --filter label!=keep",
  ];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Also images that have a name" }),
    volumes: Flags.boolean({ summary: "Also volumes without a name: their data is gone" }),
    filter: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "KEY=VALUE",
      summary: "Only what fits: until=24h, label=KEY[=VALUE], label!=KEY[=VALUE]",
    }),
    "dry-run": Flags.boolean({ summary: "Only list it" }),
    force: Flags.boolean({ char: "f", summary: "Do not ask" }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(SystemPrune);
    const { engine } = await this.context(flags);
    const { describePrune, planPrune, prune } = await import("../../../verbs/objects/prune.ts");
    const options = { all: flags.all, volumes: flags.volumes, filters: readFilters(flags.filter) };
    const lines = describePrune(await planPrune(engine, options));
    if (lines.length === 0) return this.print("nothing to remove");
    for (const line of lines) this.print(line);
    if (flags["dry-run"]) return;
    if (!flags.force && process.stdin.isTTY && !(await confirm("Remove it?"))) return;
    this.print(`reclaimed ${size(await prune(engine, options))}`);
  }
}
