import { createReadStream } from "node:fs";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";

export class BuilderImport extends SlipwayCommand {
  static override summary = "Fill a cache mount from a tar archive";
  static override examples = ["slipway builder import /root/.npm npm.tar"];
  static override args = {
    id: Args.string({ required: true, description: "Id of the cache mount" }),
    file: Args.string({ required: true, description: "Archive, - for standard input" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(BuilderImport);
    const { engine } = await this.context(flags);
    await engine.importCacheMount(args.id, args.file === "-" ? process.stdin : createReadStream(args.file));
  }
}
