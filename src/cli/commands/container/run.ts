import { writeFileSync } from "node:fs";
import { AppError } from "../../../errors.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import { createBody } from "../../create/body.ts";
import { createFlags } from "../../create/flags.ts";
import * as Flags from "../../flags.ts";

const STREAMS = ["stdin", "stdout", "stderr"] as const;

export class ContainerRun extends SlipwayCommand {
  static override summary = "Run a program in a new container of an image";
  static override examples = [
    "slipway container run --rm busybox echo hello",
    "slipway container run -it --rm -v ./src:/src debian:bookworm-slim bash",
    "slipway container run -d --name web -p 8080:80 --memory 64m shop-web",
  ];
  static override readonly passThrough = true;
  static override strict = false;
  static override args = {
    image: Args.string({ required: true, description: "Image" }),
    command: Args.string({
      multiple: true,
      description: "Program and arguments, instead of the image's",
    }),
  };
  static override flags = {
    detach: Flags.boolean({ char: "d", summary: "Return at once, and print its id" }),
    rm: Flags.boolean({ summary: "Remove it when it has ended" }),
    attach: Flags.string({
      char: "a",
      multiple: true,
      multipleNonGreedy: true,
      options: STREAMS,
      summary: "Join only these of its streams",
    }),
    "sig-proxy": Flags.boolean({ default: true, allowNo: true, summary: "Pass signals on to it" }),
    ...createFlags,
  };

  override async run(): Promise<number> {
    const { flags, words } = await this.parse(ContainerRun);
    const [image, ...command] = words;
    if (image === undefined) throw new AppError("USAGE", "run needs an image");
    const connected = await this.quietContext(flags);
    const context = this.quieted(connected, { pull: flags.quiet, build: false });
    const report = await this.report(flags);
    const { forwardSignals, joinStreams, terminalSize } = await import("../../terminal.ts");
    const { runContainer } = await import("../../../verbs/objects/run.ts");
    const { tty, interactive, detach } = flags;
    const stdin = !detach && (flags.attach?.includes("stdin") ?? interactive);
    const outputs = STREAMS.slice(1).filter((stream) => !detach && (flags.attach?.includes(stream) ?? true));
    const attached = [...(stdin ? (["stdin"] as const) : []), ...outputs];
    const { id, status } = await runContainer(
      {
        body: createBody(image, command, { ...flags, interactive: interactive || stdin }, attached),
        name: flags.name,
        platform: flags.platform,
        pull: flags.pull as "missing",
        tty,
        stdin,
        detach,
        outputs,
        detachKeys: flags["detach-keys"],
        size: tty ? terminalSize() : undefined,
        forward: flags["sig-proxy"] ? forwardSignals : () => () => {},
        created: (id) => flags.cidfile !== undefined && writeFileSync(flags.cidfile, id, { flag: "wx" }),
      },
      () => report.close(),
      (attachment, onResize) => joinStreams(attachment, { stdin, tty, onResize }),
      context,
    );
    if (detach) this.print(id);
    return status;
  }
}
