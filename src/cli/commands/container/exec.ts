import { AppError } from "../../../errors.ts";
import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { readEnvironment } from "../../options.ts";

export class ContainerExec extends SlipwayCommand {
  static override summary = "Run a program in a running container";
  static override examples = [
    "slipway container exec -it shop-web-1 sh",
    "slipway container exec shop-db-1 env",
  ];
  static override readonly passThrough = true;
  static override strict = false;
  static override args = {
    container: Args.string({ required: true, description: "Name or id" }),
    command: Args.string({
      required: true,
      multiple: true,
      description: "Program and its arguments",
    }),
  };
  static override flags = {
    interactive: Flags.boolean({ char: "i", summary: "Keep standard input open" }),
    tty: Flags.boolean({ char: "t", summary: "Give it a terminal" }),
    detach: Flags.boolean({ char: "d", summary: "Return at once" }),
    env: Flags.string({
      char: "e",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "KEY=VALUE",
      summary: "Environment of the program",
    }),
    user: Flags.string({ char: "u", helpValue: "USER", summary: "User to run it as" }),
    workdir: Flags.string({ char: "w", helpValue: "DIR", summary: "Directory to run it in" }),
    privileged: Flags.boolean({ summary: "With all capabilities" }),
  };

  override async run(): Promise<number> {
    const { flags, words } = await this.parse(ContainerExec);
    const [container, ...command] = words;
    if (container === undefined || command.length === 0)
      throw new AppError("USAGE", "exec needs a container and a command");
    const { engine } = await this.quietContext(flags);
    const { joinStreams, terminalSize } = await import("../../terminal.ts");
    const { execIn } = await import("../../../verbs/exec.ts");
    const { tty, interactive: stdin, detach, user, workdir, privileged } = flags;
    const options = {
      command,
      tty,
      stdin,
      detach,
      environment: readEnvironment(flags.env),
      user,
      workdir,
      privileged,
      size: tty ? terminalSize() : undefined,
    };
    return await execIn(
      container,
      options,
      (attachment, onResize) => joinStreams(attachment, { stdin, tty, onResize }),
      engine,
    );
  }
}
