import { SlipwayCommand } from "../../base.ts";
import { namesArg } from "../../objects.ts";

export class ContainerInspect extends SlipwayCommand {
  static override summary = "Show all that is known of containers, as JSON";
  static override examples = ["slipway container inspect shop-web-1"];
  static override args = namesArg("Names or ids");

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerInspect);
    const { engine } = await this.context(flags);
    const found = await Promise.all(words.map((name) => engine.inspectContainer(name)));
    this.print(JSON.stringify(found, undefined, 4));
  }
}
