import type { CommitOptions } from "../../client/types/containers.ts";
import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export const commitFlags = {
  author: Flags.string({ char: "a", helpValue: "NAME", summary: "Who made it" }),
  change: Flags.string({
    char: "c",
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "INSTRUCTION",
    summary: "Dockerfile instruction for its settings",
  }),
  message: Flags.string({ char: "m", helpValue: "TEXT", summary: "Remark in its history" }),
  pause: Flags.boolean({ char: "p", default: true, allowNo: true, summary: "Freeze it meanwhile" }),
};

interface CommitValues {
  readonly author?: string | undefined;
  readonly change?: readonly string[] | undefined;
  readonly message?: string | undefined;
  readonly pause: boolean;
}

export function commitOptions(image: string | undefined, flags: CommitValues): CommitOptions {
  const { author, message, change, pause } = flags;
  const [, repo, tag = "latest"] = /^(.*?)(?::([^:/]+))?$/.exec(image ?? "") ?? [];
  return {
    pause,
    ...(repo && { repo, tag }),
    ...(author && { author }),
    ...(message && { comment: message }),
    ...(change && { changes: change }),
  };
}

export class Commit extends SlipwayCommand {
  static override summary = "Make an image of what a service's container has become";
  static override examples = [
    "slipway commit web web:tried",
    "slipway commit -m 'with tools' -c 'ENV DEBUG=1' web web:debug",
  ];
  static override args = {
    service: Args.string({ required: true, description: "Service" }),
    image: Args.string({ description: "Name of the image" }),
  };
  static override flags = {
    index: Flags.integer({ min: 1, summary: "Which container of a scaled service" }),
    ...commitFlags,
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Commit);
    const { engine } = await this.context(flags);
    const { findOne } = await import("../../verbs/containers.ts");
    const { id } = await findOne(this.source(flags, [args.service]), args.service, flags.index, engine);
    const { Id } = await engine.commitContainer(id, commitOptions(args.image, flags));
    this.print(Id);
  }
}
