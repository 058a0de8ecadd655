import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

export class Daemon extends SlipwayCommand {
  static override summary = "Run the engine in the foreground";
  static override description =
    `Other commands start it by themselves where none answers. SIGTERM ends it and leaves
containers running; the next start knows them.`;
  static override examples = [
    "slipway daemon",
    "slipway daemon --host unix:///tmp/slipway.sock --data-root /srv/slipway --log-level debug",
  ];
  static override passThrough = false;
  static override flags = {
    host: Flags.string({ char: "H", helpValue: "URL", summary: "Socket to listen on, unix:///path" }),
    "data-root": Flags.string({ helpValue: "DIR", summary: "Where images, volumes and records are kept" }),
    "exec-root": Flags.string({
      helpValue: "DIR",
      summary: "Where sockets and state of running containers are",
    }),
    "cgroup-parent": Flags.string({ helpValue: "NAME", summary: "Control group above all containers" }),
    "log-level": Flags.string({ helpValue: "LEVEL", summary: "debug, info, warn or error" }),
    "log-file": Flags.string({ helpValue: "FILE", hidden: true }),
  };

  override async run(): Promise<number> {
    const { flags } = await this.parse(Daemon);
    const { becomeDaemon } = await import("../daemon.ts");
    const names = ["host", "data-root", "exec-root", "cgroup-parent", "log-level", "log-file"] as const;
    return becomeDaemon(
      names.flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, flags[name]])),
    );
  }
}
