import { size } from "../../../ui/size.ts";
import { ago } from "../../../verbs/ps.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { listFlags, printList, readFilters, shortId } from "../../objects.ts";

export class ImageLs extends SlipwayCommand {
  static override summary = "List images";
  static override examples = [
    "slipway image ls",
    "slipway image ls --filter reference='shop-*'",
    "slipway image ls -q",
  ];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Also those without a name" }),
    ...listFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ImageLs);
    const { engine } = await this.context(flags);
    const images = await engine.listImages({ all: flags.all, filters: readFilters(flags.filter) });
    const rows = images.flatMap((image) =>
      (image.RepoTags?.length ? image.RepoTags : ["<none>:<none>"]).map((name) => {
        const colon = name.lastIndexOf(":");
        return { ...image, Repository: name.slice(0, colon), Tag: name.slice(colon + 1) };
      }),
    );
    await printList(
      rows,
      [
        ["REPOSITORY", ({ Repository }) => Repository],
        ["TAG", ({ Tag }) => Tag],
        ["IMAGE ID", ({ Id }) => shortId(Id)],
        ["CREATED", ({ Created }) => `${ago(Date.now() / 1000 - Created)} ago`],
        ["SIZE", ({ Size }) => size(Size)],
      ],
      ({ Id }) => shortId(Id),
      flags,
      (line) => this.print(line),
    );
  }
}
