import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ImageBootstrap extends SlipwayCommand {
  static override summary = "Make a base image from this machine's packages, without a registry";
  static override description =
    `Fetches and verifies what apt is configured for, and configures it in a container of ours. Does nothing
where the image is here already.`;
  static override examples = [
    "slipway image bootstrap debian:bookworm-slim",
    "slipway image bootstrap debian:bookworm --include ca-certificates --include curl",
    "slipway image bootstrap base/web:1 --suite trixie --variant apt --include nginx-light",
  ];
  static override args = {
    image: Args.string({
      required: true,
      description: "Name and tag, such as debian:bookworm-slim",
    }),
  };
  static override flags = {
    include: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ",",
      helpValue: "PACKAGE",
      summary: "One more package",
    }),
    variant: Flags.string({
      options: ["minbase", "slim", "apt"],
      summary: "Packages to begin with: required ones, these without documentation, or essential ones alone",
    }),
    suite: Flags.string({
      helpValue: "NAME",
      summary: "Release of Debian, such as trixie, where the image's name does not say it",
    }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImageBootstrap);
    const context = await this.context(flags);
    const { bootstrap } = await import("../../../verbs/objects/bootstrap.ts");
    const include = flags.include ?? [];
    const { variant, suite } = flags;
    this.print(await bootstrap({ reference: args.image, include, variant, suite }, context));
  }
}
