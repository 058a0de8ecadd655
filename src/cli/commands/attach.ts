import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class Attach extends SlipwayCommand {
  static override summary = "Join the streams of a running service with this terminal";
  static override description = "Ctrl-C reaches the service; Ctrl-P Ctrl-Q leaves it running.";
  static override examples = ["slipway attach web", "slipway attach --no-stdin --index 2 worker"];
  static override args = {
    service: Args.string({ required: true, description: "Service" }),
  };
  static override flags = {
    index: Flags.integer({ min: 1, summary: "Which container of a scaled service" }),
    "no-stdin": Flags.boolean({ summary: "Only show its output" }),
    "sig-proxy": Flags.boolean({ default: true, allowNo: true, summary: "Pass signals on to it" }),
    "detach-keys": Flags.string({
      helpValue: "KEYS",
      summary: "Keys that leave it, instead of ctrl-p,ctrl-q",
    }),
  };

  override async run(): Promise<number> {
    const { flags, args } = await this.parse(Attach);
    const context = await this.quietContext(flags);
    const { findRunning } = await import("../../verbs/containers.ts");
    const { attach } = await import("../../verbs/attach.ts");
    const { forwardSignals, joinStreams } = await import("../terminal.ts");
    const { id } = await findRunning(
      this.source(flags, [args.service]),
      args.service,
      flags.index,
      context.engine,
    );
    const stdin = !flags["no-stdin"];
    return await attach(
      id,
      {
        stdin,
        detachKeys: flags["detach-keys"],
        forward: flags["sig-proxy"] ? forwardSignals : () => () => {},
      },
      (tty) => (attachment, onResize) => joinStreams(attachment, { stdin, tty, onResize }),
      context,
    );
  }
}
