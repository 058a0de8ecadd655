import { resolve } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { SlipwayCommand } from "../../base.ts";
import { labelFlag, readPairs } from "../../objects.ts";

const repeated = { multiple: true, multipleNonGreedy: true } as const;

export class ImageBuild extends SlipwayCommand {
  static override summary = "Build an image from a directory with a Dockerfile";
  static override examples = [
    "slipway image build -t web .",
    "slipway image build -t web:test --target test --build-arg V=1 ./web",
  ];
  static override args = {
    path: Args.string({ required: true, ignoreStdin: true, description: "The build context" }),
  };
  static override flags = {
    tag: Flags.string({ char: "t", ...repeated, helpValue: "NAME", summary: "Name of the image" }),
    file: Flags.string({ char: "f", helpValue: "FILE", summary: "Dockerfile, else PATH/Dockerfile" }),
    target: Flags.string({ helpValue: "STAGE", summary: "Stage to build" }),
    "build-arg": Flags.string({ ...repeated, helpValue: "KEY=VALUE", summary: "Value of an ARG" }),
    label: labelFlag,
    platform: Flags.string({ helpValue: "OS/ARCH", summary: "For another kind of machine" }),
    network: Flags.string({ helpValue: "MODE", summary: "Network of RUN" }),
    "no-cache": Flags.boolean({ summary: "Do every step anew" }),
    pull: Flags.boolean({ summary: "Look for newer base images" }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress, print the id" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImageBuild);
    const progress = flags.quiet ? "quiet" : flags.progress;
    const context = await this.context({ ...flags, file: undefined, progress });
    const { buildPath } = await import("../../../verbs/objects/build.ts");
    const id = await buildPath(
      {
        directory: resolve(args.path),
        dockerfile: flags.file && resolve(flags.file),
        tags: flags.tag ?? [],
        target: flags.target,
        args: readPairs(flags["build-arg"]),
        labels: readPairs(flags.label),
        platform: flags.platform,
        network: flags.network,
        noCache: flags["no-cache"],
        pull: flags.pull,
      },
      context,
    );
    this.print(id);
  }
}
