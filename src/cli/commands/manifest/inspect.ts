import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";

export class ManifestInspect extends SlipwayCommand {
  static override summary = "Show a list that is kept here, or the manifest that a registry has";
  static override examples = ["slipway manifest inspect registry.example/web:1"];
  static override args = { name: Args.string({ required: true, description: "List or image" }) };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ManifestInspect);
    const context = await this.context(flags);
    const { inspectList } = await import("../../../verbs/objects/manifests.ts");
    this.print((await inspectList(args.name, context)).trimEnd());
  }
}
