import { SlipwayCommand } from "../../base.ts";
import { namesArg } from "../../objects.ts";

export class ManifestRm extends SlipwayCommand {
  static override summary = "Forget lists that are kept here; what was pushed stays";
  static override examples = ["slipway manifest rm registry.example/web:1"];
  static override args = namesArg("Names of lists");

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ManifestRm);
    const context = await this.context(flags);
    const { needLists } = await import("../../../verbs/objects/manifests.ts");
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await needLists(context);
    await toSeveral(
      words,
      (list) => context.engine.removeManifestList(list),
      (list) => this.print(list),
    );
  }
}
