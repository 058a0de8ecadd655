import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../../errors.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class BuilderExport extends SlipwayCommand {
  static override summary = "Write a cache mount into a tar archive";
  static override description = "The id is that of RUN --mount=type=cache,id=ID, or its target.";
  static override examples = ["slipway builder export /root/.npm -o npm.tar"];
  static override args = {
    id: Args.string({ required: true, description: "Id of the cache mount" }),
  };
  static override flags = {
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "Where to; else standard output" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(BuilderExport);
    if (flags.output === undefined && process.stdout.isTTY) {
      throw new AppError("USAGE", "an archive does not belong on a terminal", {
        hint: "Give -o FILE, or pipe it.",
      });
    }
    const { engine } = await this.context(flags);
    const tar = await engine.exportCacheMount(args.id);
    const to = flags.output === undefined ? process.stdout : createWriteStream(flags.output);
    await pipeline(tar, to, { end: flags.output !== undefined });
  }
}
