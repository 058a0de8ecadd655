import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { printInspected } from "../../format.ts";
import { inspectFlags, namesArg } from "../../objects.ts";

export class ContainerInspect extends SlipwayCommand {
  static override summary = "Show all that is known of containers, as JSON";
  static override examples = [
    "slipway container inspect shop-web-1",
    "slipway container inspect -f '{{.State.Status}}' shop-web-1",
  ];
  static override args = namesArg("Names or ids");
  static override flags = {
    ...inspectFlags,
    size: Flags.boolean({ char: "s", summary: "Also what they have written" }),
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerInspect);
    const { engine } = await this.context(flags);
    const found = await Promise.all(words.map((name) => engine.inspectContainer(name, { size: flags.size })));
    await printInspected(found, flags.format, (line) => this.print(line));
  }
}
