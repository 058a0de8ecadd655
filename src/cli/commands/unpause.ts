import { SlipwayCommand } from "../base.ts";
import { dryRunFlag, servicesArg } from "../options.ts";

export class Unpause extends SlipwayCommand {
  static override summary = "Let frozen services go on";
  static override examples = ["slipway unpause web"];
  static override args = servicesArg;
  static override flags = { "dry-run": dryRunFlag };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Unpause);
    const context = await this.context(flags);
    const { toEach } = await import("../../verbs/each.ts");
    await toEach("unpause", this.source(flags, services), services, undefined, context);
  }
}
