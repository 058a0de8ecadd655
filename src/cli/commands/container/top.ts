import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";

export class ContainerTop extends SlipwayCommand {
  static override summary = "Show the processes of a container";
  static override examples = ["slipway container top web", "slipway container top web -o pid,args"];
  static override readonly passThrough = true;
  static override strict = false;
  static override args = {
    container: Args.string({ required: true, description: "Name or id" }),
    options: Args.string({ multiple: true, description: "Options of ps" }),
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ContainerTop);
    const [container = "", ...options] = words;
    const { engine } = await this.context(flags);
    const { tableText } = await import("../../../ui/table.ts");
    const { Titles, Processes } = await engine.topContainer(container, options.join(" ") || undefined);
    this.print(tableText(Titles, Processes));
  }
}
