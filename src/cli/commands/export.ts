import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../errors.ts";
import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class Export extends SlipwayCommand {
  static override summary = "Write the file system of a service's container into a tar archive";
  static override examples = ["slipway export -o web.tar web", "slipway export web | tar -t"];
  static override args = {
    service: Args.string({ required: true, description: "Service" }),
  };
  static override flags = {
    index: Flags.integer({ min: 1, summary: "Which container of a scaled service" }),
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "Where to; else standard output" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Export);
    const { engine } = await this.context(flags);
    const { findOne } = await import("../../verbs/containers.ts");
    await writeArchive(async () => {
      const { id } = await findOne(this.source(flags, [args.service]), args.service, flags.index, engine);
      return await engine.exportContainer(id);
    }, flags.output);
  }
}

/** @throws {AppError} USAGE where it would go to a terminal */
export async function writeArchive(open: () => Promise<Readable>, output: string | undefined): Promise<void> {
  if (output === undefined && process.stdout.isTTY) {
    throw new AppError("USAGE", "an archive does not belong on a terminal", {
      hint: "Give -o FILE, or pipe it.",
    });
  }
  const tar = await open();
  const target = output === undefined ? process.stdout : createWriteStream(output);
  await pipeline(tar, target, { end: output !== undefined });
}
