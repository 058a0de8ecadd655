import { ago, portsText } from "../../../verbs/ps.ts";
import { SlipwayCommand } from "../../base.ts";
import * as Flags from "../../flags.ts";
import { listFlags, printList, readFilters, shortId } from "../../objects.ts";

export class ContainerLs extends SlipwayCommand {
  static override summary = "List containers of all projects";
  static override examples = [
    "slipway container ls",
    "slipway container ls -a --filter status=exited",
    "slipway container ls --format json",
  ];
  static override flags = {
    all: Flags.boolean({ char: "a", summary: "Stopped ones too" }),
    size: Flags.boolean({ char: "s", summary: "What they have written" }),
    ...listFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ContainerLs);
    const { engine } = await this.context(flags);
    const rows = await engine.listContainers({
      all: flags.all,
      size: flags.size,
      filters: readFilters(flags.filter),
    });
    await printList(
      rows,
      [
        ["CONTAINER ID", ({ Id }) => shortId(Id)],
        ["IMAGE", ({ Image }) => Image],
        [
          "COMMAND",
          ({ Command }) => JSON.stringify(Command.length > 30 ? `${Command.slice(0, 29)}…` : Command),
        ],
        ["CREATED", ({ Created }) => `${ago(Date.now() / 1000 - Created)} ago`],
        ["STATUS", ({ Status }) => Status],
        ["PORTS", ({ Ports }) => portsText(Ports)],
        ["NAMES", ({ Names }) => Names.map((name) => name.replace(/^\//, "")).join(",")],
      ],
      ({ Id }) => shortId(Id),
      flags,
      (line) => this.print(line),
    );
  }
}
