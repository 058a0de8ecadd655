import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { listFlags, printList } from "../objects.ts";

export class Search extends SlipwayCommand {
  static override summary = "Find images in a registry";
  static override description =
    "Searches Docker Hub, or the registry that the term begins with: HOST[:PORT]/TERM.";
  static override examples = ["slipway search redis", "slipway search localhost:5000/app"];
  static override args = {
    term: Args.string({ required: true, description: "Part of a name" }),
  };
  static override flags = {
    limit: Flags.integer({ default: 25, min: 1, max: 100, summary: "At most so many" }),
    quiet: listFlags.quiet,
    format: listFlags.format,
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Search);
    const { engine } = await this.context(flags);
    await printList(
      await engine.searchImages(args.term, flags.limit),
      [
        ["NAME", ({ name }) => name],
        ["DESCRIPTION", ({ description }) => description],
        ["STARS", ({ star_count }) => String(star_count)],
        ["OFFICIAL", ({ is_official }) => (is_official ? "yes" : "")],
      ],
      ({ name }) => name,
      flags,
      (line) => this.print(line),
    );
  }
}
