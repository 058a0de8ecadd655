import type { EngineClient } from "../../../client/client.ts";
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
    "slipway image ls --tree",
  ];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Also those without a name" }),
    digests: Flags.boolean({ summary: "Also the digests that registries know them by" }),
    tree: Flags.boolean({
      summary: "Below the images whose layers they build on",
      exclusive: ["filter", "quiet", "format"],
    }),
    ...listFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ImageLs);
    const { engine } = await this.context(flags);
    if (flags.tree) return this.#printTree(engine);
    const images = await engine.listImages({ all: flags.all, filters: readFilters(flags.filter) });
    const rows = images.flatMap((image) =>
      (image.RepoTags?.length ? image.RepoTags : ["<none>:<none>"]).map((name) => {
        const colon = name.lastIndexOf(":");
        const Repository = name.slice(0, colon);
        const known = image.RepoDigests?.find((digest) => digest.startsWith(`${Repository}@`));
        const Digest = known?.slice(Repository.length + 1) ?? "<none>";
        return { ...image, Repository, Tag: name.slice(colon + 1), Digest };
      }),
    );
    await printList(
      rows,
      [
        ["REPOSITORY", ({ Repository }) => Repository],
        ["TAG", ({ Tag }) => Tag],
        ...(flags.digests ? [["DIGEST", (row: (typeof rows)[number]) => row.Digest] as const] : []),
        ["IMAGE ID", ({ Id }) => shortId(Id)],
        ["CREATED", ({ Created }) => `${ago(Date.now() / 1000 - Created)} ago`],
        ["SIZE", ({ Size }) => size(Size)],
      ],
      ({ Id }) => shortId(Id),
      flags,
      (line) => this.print(line),
    );
  }

  async #printTree(engine: EngineClient): Promise<void> {
    const { imageTree } = await import("../../../verbs/objects/image-tree.ts");
    const { tableText } = await import("../../../ui/table.ts");
    const rows = (await imageTree(engine)).map((line) => [
      line.name,
      line.id,
      size(line.size),
      size(line.adds),
    ]);
    this.print(tableText(["IMAGE", "ID", "SIZE", "ADDS"], rows));
  }
}
