import { AppError } from "../../../errors.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { namesArg } from "../../objects.ts";

export class ContainerStart extends SlipwayCommand {
  static override summary = "Start containers";
  static override examples = ["slipway container start web", "slipway container start -ai shell"];
  static override args = namesArg("Containers");
  static override flags = {
    attach: Flags.boolean({ char: "a", summary: "Join its output, and end with its exit status" }),
    interactive: Flags.boolean({ char: "i", summary: "Join its standard input too" }),
    "detach-keys": Flags.string({
      helpValue: "KEYS",
      summary: "Keys that leave it, instead of ctrl-p,ctrl-q",
    }),
  };

  override async run(): Promise<number> {
    const { flags, words } = await this.parse(ContainerStart);
    if (flags.attach || flags.interactive) {
      if (words.length > 1) throw new AppError("USAGE", "only one container can be joined at a time");
      const context = await this.quietContext(flags);
      const { startJoined } = await import("../../../verbs/objects/start.ts");
      const { forwardSignals, joinStreams } = await import("../../terminal.ts");
      const stdin = flags.interactive;
      return await startJoined(
        words[0]!,
        { stdin, detachKeys: flags["detach-keys"], forward: forwardSignals },
        (tty) => (attachment, onResize) => joinStreams(attachment, { stdin, tty, onResize }),
        context,
      );
    }
    const { engine } = await this.context(flags);
    const { toSeveral } = await import("../../../verbs/objects/several.ts");
    await toSeveral(
      words,
      (name) => engine.startContainer(name),
      (name) => this.print(name),
    );
    return 0;
  }
}
