import { SlipwayCommand } from "../../base.ts";
import { namesArg } from "../../objects.ts";

export class ContainerWait extends SlipwayCommand {
  static override summary = "Wait until containers have ended, and print their exit statuses";
  static override examples = ["slipway container wait job"];
  static override args = namesArg("Containers");

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerWait);
    const { engine, signal } = await this.context(flags);
    for (const name of words) this.print(String((await engine.waitContainer(name, { signal })).StatusCode));
  }
}
