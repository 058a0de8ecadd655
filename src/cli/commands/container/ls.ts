import type { ContainerInfo } from "dockerode";
import { size } from "../../../ui/size.ts";
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
    last: Flags.integer({
      char: "n",
      min: 1,
      helpValue: "N",
      summary: "The last created ones, also stopped",
    }),
    latest: Flags.boolean({ char: "l", summary: "The last created one" }),
    "no-trunc": Flags.boolean({ summary: "Whole ids and commands" }),
    size: Flags.boolean({ char: "s", summary: "What they have written" }),
    ...listFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ContainerLs);
    const { engine } = await this.context(flags);
    const limit = flags.latest ? 1 : flags.last;
    const found = await engine.listContainers({
      all: flags.all,
      ...(limit !== undefined && { limit }),
      size: flags.size,
      filters: readFilters(flags.filter),
    });
    const rows = found.map((each) => containerRow(each, flags["no-trunc"]));
    await printList(
      rows,
      [
        ["CONTAINER ID", ({ ID }) => ID],
        ["IMAGE", ({ Image }) => Image],
        ["COMMAND", ({ Command }) => Command],
        ["CREATED", ({ RunningFor }) => RunningFor],
        ["STATUS", ({ Status }) => Status],
        ["PORTS", ({ Ports }) => Ports],
        ["NAMES", ({ Names }) => Names],
        ...(flags.size ? [["SIZE", (row: (typeof rows)[number]) => row.Size] as const] : []),
      ],
      ({ ID }) => ID,
      flags,
      (line) => this.print(line),
    );
  }
}

/** As Docker's templates name the parts, all of them text. */
function containerRow(
  info: ContainerInfo & { readonly SizeRw?: number; readonly SizeRootFs?: number },
  whole: boolean,
) {
  const command = !whole && info.Command.length > 30 ? `${info.Command.slice(0, 29)}…` : info.Command;
  return {
    ID: whole ? info.Id : shortId(info.Id),
    Image: info.Image,
    Command: JSON.stringify(command),
    CreatedAt: new Date(info.Created * 1000).toISOString(),
    RunningFor: `${ago(Date.now() / 1000 - info.Created)} ago`,
    Status: info.Status,
    State: info.State,
    Ports: portsText(info.Ports),
    Names: info.Names.map((name) => name.replace(/^\//, "")).join(","),
    Labels: Object.entries(info.Labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Mounts: info.Mounts.map(({ Name, Source }) => Name ?? Source).join(","),
    Networks: Object.keys(info.NetworkSettings.Networks).join(","),
    Size: `${size(info.SizeRw ?? 0)} (virtual ${size(info.SizeRootFs ?? 0)})`,
  };
}
