import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class SystemInfo extends SlipwayCommand {
  static override summary = "Show what the engine says of itself and its machine";
  static override examples = ["slipway system info", "slipway info --format json"];
  static override flags = {
    format: Flags.string({ options: ["pretty", "json"], default: "pretty", summary: "Form of the output" }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(SystemInfo);
    const { engine } = await this.context(flags);
    const info = await engine.info();
    if (flags.format === "json") return this.print(JSON.stringify(info));
    for (const [key, value] of Object.entries(info)) {
      if (value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0))
        continue;
      this.print(`${key}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
    }
  }
}
