import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ContainerAttach extends SlipwayCommand {
  static override summary = "Join the streams of a running container with this terminal";
  static override description = "Ctrl-P Ctrl-Q leaves it running.";
  static override examples = ["slipway container attach web", "slipway container attach --no-stdin web"];
  static override args = { container: Args.string({ required: true, description: "Name or id" }) };
  static override flags = {
    "no-stdin": Flags.boolean({ summary: "Only show its output" }),
    "sig-proxy": Flags.boolean({ default: true, allowNo: true, summary: "Pass signals on to it" }),
    "detach-keys": Flags.string({
      helpValue: "KEYS",
      summary: "Keys that leave it, instead of ctrl-p,ctrl-q",
    }),
  };

  override async run(): Promise<number> {
    const { flags, args } = await this.parse(ContainerAttach);
    const context = await this.quietContext(flags);
    const { attach } = await import("../../../verbs/attach.ts");
    const { forwardSignals, joinStreams } = await import("../../terminal.ts");
    const stdin = !flags["no-stdin"];
    const forward = flags["sig-proxy"] ? forwardSignals : () => () => {};
    return await attach(
      args.container,
      { stdin, detachKeys: flags["detach-keys"], forward },
      (tty) => (attachment, onResize) => joinStreams(attachment, { stdin, tty, onResize }),
      context,
    );
  }
}
