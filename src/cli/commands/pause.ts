import { SlipwayCommand } from "../base.ts";
import { dryRunFlag, servicesArg } from "../options.ts";

export class Pause extends SlipwayCommand {
  static override summary = "Freeze the processes of services";
  static override examples = ["slipway pause web"];
  static override args = servicesArg;
  static override flags = { "dry-run": dryRunFlag };

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Pause);
    const context = await this.context(flags);
    const { toEach } = await import("../../verbs/each.ts");
    await toEach("pause", this.source(flags, services), services, undefined, context);
  }
}
