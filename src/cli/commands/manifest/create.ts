import * as Args from "../../args.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";

export class ManifestCreate extends SlipwayCommand {
  static override summary = "Put images for several platforms together under one name";
  static override description =
    "The images are in registries; the list is kept by the engine until it is pushed.";
  static override examples = [
    "slipway manifest create registry.example/web:1 registry.example/web:1-amd64 registry.example/web:1-arm64",
  ];
  static override args = {
    list: Args.string({ required: true, description: "Name of the list" }),
    image: Args.string({ required: true, multiple: true, description: "Images in it" }),
  };
  static override flags = { amend: Flags.boolean({ char: "a", summary: "Add to a list that is there" }) };

  override async run(): Promise<void> {
    const { flags, words } = await this.parse(ManifestCreate);
    const [list = "", ...images] = words;
    const context = await this.context(flags);
    const { createList } = await import("../../../verbs/objects/manifests.ts");
    this.print(`Created manifest list ${await createList(list, images, flags.amend, context)}`);
  }
}
