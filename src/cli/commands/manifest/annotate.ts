import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ManifestAnnotate extends SlipwayCommand {
  static override summary = "Say which machines an image of a list is for";
  static override examples = [
    "slipway manifest annotate --arch arm64 --variant v8 registry.example/web:1 registry.example/web:1-arm64",
  ];
  static override args = {
    list: Args.string({ required: true, description: "Name of the list" }),
    image: Args.string({ required: true, description: "Image in it" }),
  };
  static override flags = {
    os: Flags.string({ helpValue: "OS", summary: "Operating system" }),
    arch: Flags.string({ helpValue: "ARCH", summary: "Processor" }),
    variant: Flags.string({ helpValue: "VARIANT", summary: "Its variant, such as v8" }),
    "os-version": Flags.string({ helpValue: "VERSION", summary: "Version of the operating system" }),
    "os-features": Flags.string({ helpValue: "A,B", summary: "What the operating system has to have" }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ManifestAnnotate);
    const context = await this.context(flags);
    const { needLists } = await import("../../../verbs/objects/manifests.ts");
    await needLists(context);
    const { os, arch, variant } = flags;
    const [version, features] = [flags["os-version"], flags["os-features"]];
    await context.engine.annotateManifestList(args.list, args.image, {
      ...(os && { os }),
      ...(arch && { architecture: arch }),
      ...(variant && { variant }),
      ...(version && { "os.version": version }),
      ...(features && { "os.features": features.split(",") }),
    });
  }
}
