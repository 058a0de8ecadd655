import { SlipwayCommand } from "../base.ts";
import { servicesArg } from "../options.ts";

export class Top extends SlipwayCommand {
  static override summary = "Show the processes that run in the services";
  static override examples = ["slipway top", "slipway top web"];
  static override args = servicesArg;

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Top);
    const { engine } = await this.context(flags);
    const { processes } = await import("../../verbs/inventory.ts");
    const { tableText } = await import("../../ui/table.ts");
    for (const { name, titles, rows } of await processes(this.source(flags, services), services, engine)) {
      this.print(`${name}\n${tableText(titles, rows)}\n`);
    }
  }
}
