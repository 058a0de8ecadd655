import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ImagePull extends SlipwayCommand {
  static override summary = "Pull an image from its registry";
  static override examples = [
    "slipway image pull debian:bookworm-slim",
    "slipway image pull --platform linux/arm64 registry.example/web:1",
    "slipway image pull base/web:1 --from oci-layout:./images/web",
    "slipway image pull rootfs:1 --from dir:/srv/rootfs",
  ];
  static override args = {
    image: Args.string({ required: true, description: "Name of the image" }),
  };
  static override flags = {
    "all-tags": Flags.boolean({
      char: "a",
      summary: "Every tag that the registry has of a name without one",
    }),
    platform: Flags.string({ helpValue: "OS/ARCH", summary: "For another kind of machine" }),
    from: Flags.string({
      helpValue: "SOURCE",
      summary:
        "Not from a registry: oci-layout:PATH[@NAME], archive:PATH[@NAME], dir:PATH or bootstrap[:SUITE]",
      exclusive: ["platform"],
    }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImagePull);
    const context = await this.context(flags.quiet ? { ...flags, progress: "quiet" } : flags);
    if (flags.from === undefined) {
      const { pullImage } = await import("../../../verbs/images.ts");
      const { platform } = flags;
      await pullImage(args.image, platform, "asked for", context, { allTags: flags["all-tags"] });
    } else {
      const { absoluteSource, takeImage } = await import("../../../verbs/sources.ts");
      // What is none the engine refuses, in words of its own.
      const source = absoluteSource(flags.from, process.cwd()) ?? flags.from;
      await takeImage(args.image, source, "asked for", context);
    }
    this.print(args.image);
  }
}
