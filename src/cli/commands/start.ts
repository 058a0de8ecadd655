import { SlipwayCommand } from "../base.ts";
import { servicesArg } from "../options.ts";

export class Start extends SlipwayCommand {
  static override summary = "Start the existing containers of services";
  static override examples = ["slipway start", "slipway start db"];
  static override args = servicesArg;

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Start);
    const context = await this.context(flags);
    const { toEach } = await import("../../verbs/each.ts");
    await toEach("start", this.source(flags, services), services, undefined, context);
  }
}
