import { isMissing } from "../../client/failures.ts";
import { AppError } from "../../errors.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { printInspected } from "../format.ts";
import { inspectFlags, namesArg } from "../objects.ts";

export class Inspect extends SlipwayCommand {
  static override summary = "Show all that is known of containers, images, networks or volumes, as JSON";
  static override examples = ["slipway inspect shop-web-1", "slipway inspect shop_default shop_data"];
  static override args = namesArg("Names or ids");
  static override flags = {
    ...inspectFlags,
    size: Flags.boolean({ char: "s", summary: "Also what containers have written" }),
    type: Flags.string({
      options: ["container", "image", "network", "volume"],
      summary: "Only things of this kind",
    }),
  };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(Inspect);
    const { engine } = await this.context(flags);
    const all = {
      container: (name: string) => engine.inspectContainer(name, { size: flags.size }),
      image: engine.inspectImage,
      network: engine.inspectNetwork,
      volume: engine.inspectVolume,
    } as const;
    const kinds = flags.type === undefined ? Object.values(all) : [all[flags.type as keyof typeof all]];
    const found = await Promise.all(
      words.map(async (name) => {
        for (const inspect of kinds) {
          try {
            return await inspect(name);
          } catch (error) {
            if (!isMissing(error)) throw error;
          }
        }
        const what = flags.type ?? "container, image, network or volume";
        throw new AppError("ENGINE_FAILED", `there is no ${what} ${name}`);
      }),
    );
    await printInspected(found, flags.format, (line) => this.print(line));
  }
}
