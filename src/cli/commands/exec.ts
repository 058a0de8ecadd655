import { AppError } from "../../errors.ts";
import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { readEnvironment } from "../options.ts";

export class Exec extends SlipwayCommand {
  static override summary = "Run a program in a running container of a service";
  static override description =
    "Ends with the program's exit status. A terminal is given when standard input is one.";
  static override examples = [
    "slipway exec web sh",
    "slipway exec -T db pg_dump shop > shop.sql",
    "slipway exec -u root -e DEBUG=1 web ls -la /srv",
    "slipway exec --index 2 worker cat /etc/hostname",
  ];
  static override readonly passThrough = true;
  static override strict = false;
  static override args = {
    service: Args.string({ required: true, description: "Service to run it in" }),
    command: Args.string({
      required: true,
      multiple: true,
      description: "Program and its arguments",
    }),
  };
  static override flags = {
    detach: Flags.boolean({ char: "d", summary: "Return at once" }),
    env: Flags.string({
      char: "e",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "KEY=VALUE",
      summary: "Environment of the program",
    }),
    index: Flags.integer({ min: 1, summary: "Which container of a scaled service" }),
    interactive: Flags.boolean({
      char: "i",
      default: true,
      allowNo: true,
      summary: "Keep standard input open",
    }),
    tty: Flags.boolean({ char: "t", hidden: true }),
    "no-tty": Flags.boolean({
      char: "T",
      aliases: ["no-TTY"],
      summary: "No terminal, even if standard input is one",
    }),
    privileged: Flags.boolean({ summary: "With all capabilities" }),
    user: Flags.string({ char: "u", helpValue: "USER", summary: "User to run it as" }),
    workdir: Flags.string({ char: "w", helpValue: "DIR", summary: "Directory to run it in" }),
  };

  override async run(): Promise<number> {
    const { flags, words } = await this.parse(Exec);
    const [service, ...command] = words;
    if (service === undefined || command.length === 0) {
      throw new AppError("USAGE", "exec needs a service and a command", {
        hint: "Such as `slipway exec web sh`.",
      });
    }
    const { engine } = await this.quietContext(flags);
    const { joinStreams, terminalSize } = await import("../terminal.ts");
    const { exec } = await import("../../verbs/exec.ts");
    const tty =
      !flags["no-tty"] && !flags.detach && process.stdin.isTTY === true && process.stdout.isTTY === true;
    return await exec(
      this.source(flags, [service]),
      {
        service,
        command,
        index: flags.index,
        tty,
        stdin: flags.interactive,
        detach: flags.detach,
        environment: readEnvironment(flags.env),
        user: flags.user,
        workdir: flags.workdir,
        privileged: flags.privileged,
        size: terminalSize(),
      },
      (attachment, onResize) => joinStreams(attachment, { stdin: flags.interactive, tty, onResize }),
      engine,
    );
  }
}
