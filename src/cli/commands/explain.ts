import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class Explain extends SlipwayCommand {
  static override summary = "Tell where a value of the project comes from";
  static override examples = [
    "slipway explain services.web.environment.LOG",
    "slipway explain services.web",
    "slipway explain 'services.web.labels[\"com.example.a\"]'",
  ];
  static override args = {
    path: Args.string({ required: true, description: "Keys with dots between them" }),
  };

  static override flags = {
    format: Flags.string({ options: ["pretty", "json"], default: "pretty", summary: "Form of the output" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Explain);
    const { explain, explainJson } = await import("../../verbs/config.ts");
    if (flags.format === "json") return this.print(await explainJson(this.source(flags), args.path));
    for (const line of await explain(this.source(flags), args.path)) this.print(line);
  }
}
