import { isMissing } from "../../client/failures.ts";
import { AppError } from "../../errors.ts";
import { SlipwayCommand } from "../base.ts";
import { namesArg } from "../objects.ts";

export class Inspect extends SlipwayCommand {
  static override summary = "Show all that is known of containers, images, networks or volumes, as JSON";
  static override examples = ["slipway inspect shop-web-1", "slipway inspect shop_default shop_data"];
  static override args = namesArg("Names or ids");

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(Inspect);
    const { engine } = await this.context(flags);
    const kinds = [
      engine.inspectContainer,
      engine.inspectImage,
      engine.inspectNetwork,
      engine.inspectVolume,
    ] as const;
    const found = await Promise.all(
      words.map(async (name) => {
        for (const inspect of kinds) {
          try {
            return await inspect(name);
          } catch (error) {
            if (!isMissing(error)) throw error;
          }
        }
        throw new AppError("ENGINE_FAILED", `there is no container, image, network or volume ${name}`);
      }),
    );
    this.print(JSON.stringify(found, undefined, 4));
  }
}
