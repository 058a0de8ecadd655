import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";

const NAMES = [
  ...(["host", "data-root", "exec-root", "cgroup-parent", "log-level", "log-file"] as const),
  ...(["registry-mirror", "insecure-registry", "registry-config"] as const),
];

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
    "registry-mirror": Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "URL",
      summary: "Ask this registry before Docker Hub; may be repeated",
    }),
    "insecure-registry": Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "HOST",
      summary: "Reach HOST[:PORT], or a range of addresses, without TLS or its certificates; may be repeated",
    }),
    "registry-config": Flags.string({
      helpValue: "FILE",
      summary: "Mirrors and insecure registries, instead of /etc/slipway/registries.json",
    }),
  };

  override async run(): Promise<number> {
    const { flags } = await this.parse(Daemon);
    const { becomeDaemon } = await import("../daemon.ts");
    return becomeDaemon(
      NAMES.flatMap((name) => [flags[name] ?? []].flat().flatMap((value) => [`--${name}`, value])),
    );
  }
}
