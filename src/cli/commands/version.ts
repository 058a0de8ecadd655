import { VERSION } from "../../version.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class Version extends SlipwayCommand {
  static override summary = "Show the versions of the command line and of the engine that answers";
  static override examples = ["slipway version", "slipway version --short", "slipway version --format json"];
  static override flags = {
    short: Flags.boolean({ summary: "Only the number of this program" }),
    format: Flags.string({
      char: "f",
      options: ["pretty", "json"],
      default: "pretty",
      summary: "Form of the output",
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Version);
    const version = VERSION;
    if (flags.short) return this.print(version);
    const { engineVersion } = await import("../../verbs/version.ts");
    const engine = await engineVersion({ host: flags.host, env: process.env });
    if (flags.format === "json") return this.print(JSON.stringify({ version, engine }));
    this.print(`slipway  ${version}`);
    this.print(`node     ${process.versions.node}`);
    for (const [name, value] of Object.entries(engine)) {
      if (value !== undefined) this.print(`${name.padEnd(8)} ${value}`);
    }
  }
}
