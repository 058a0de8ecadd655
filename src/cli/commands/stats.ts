import { size } from "../../ui/size.ts";
import type { Sample } from "../../verbs/stats.ts";
import { SlipwayCommand } from "../base.ts";
import * as Flags from "../flags.ts";
import { formatFlag, shortId } from "../objects.ts";
import { servicesArg } from "../options.ts";

export const statsFlags = {
  all: Flags.boolean({ char: "a", summary: "Stopped ones too" }),
  "no-stream": Flags.boolean({ summary: "Show one sample and end" }),
  "no-trunc": Flags.boolean({ summary: "Whole ids" }),
  format: formatFlag,
};

export class Stats extends SlipwayCommand {
  static override summary = "Show what the services use of CPU, memory and network";
  static override examples = [
    "slipway stats",
    "slipway stats --no-stream --format json web",
    "slipway stats --format '{{.Name}} {{.MemUsage}}'",
  ];
  static override args = servicesArg;
  static override flags = statsFlags;

  override async run(): Promise<void> {
    const { flags, words: services } = await this.parse(Stats);
    const context = await this.context(flags);
    const { sample } = await import("../../verbs/stats.ts");
    const take = () => sample(this.source(flags, services), services, flags.all, context);
    await showStats(take, flags, context.signal, (line) => this.print(line));
  }
}

interface StatsValues {
  readonly format: string;
  readonly "no-stream": boolean;
  readonly "no-trunc": boolean;
}

/** Samples until the signal, on a terminal; once where the output goes elsewhere. */
export async function showStats(
  take: () => Promise<readonly Sample[]>,
  flags: StatsValues,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<void> {
  const { printRows } = await import("../format.ts");
  const again = !flags["no-stream"] && process.stdout.isTTY === true;
  do {
    const rows = (await take()).map((row) => textRow(row, flags["no-trunc"]));
    if (again) process.stdout.write("\x1b[H\x1b[2J");
    await printRows(
      rows,
      [
        ["CONTAINER ID", ({ ID }) => ID],
        ["NAME", ({ Name }) => Name],
        ["CPU %", ({ CPUPerc }) => CPUPerc],
        ["MEM USAGE / LIMIT", ({ MemUsage }) => MemUsage],
        ["MEM %", ({ MemPerc }) => MemPerc],
        ["NET I/O", ({ NetIO }) => NetIO],
        ["BLOCK I/O", ({ BlockIO }) => BlockIO],
        ["PIDS", ({ PIDs }) => PIDs],
      ],
      flags.format,
      print,
    );
  } while (again && !signal.aborted);
}

/** As Docker's templates name the parts. */
function textRow(row: Sample, whole: boolean) {
  const share = row.MemLimit > 0 ? (row.MemUsage / row.MemLimit) * 100 : 0;
  return {
    Container: row.Name,
    ID: whole ? row.ID : shortId(row.ID),
    Name: row.Name,
    CPUPerc: row.CPUPerc,
    MemUsage: `${size(row.MemUsage)} / ${size(row.MemLimit)}`,
    MemPerc: `${share.toFixed(2)}%`,
    NetIO: `${size(row.NetIn)} / ${size(row.NetOut)}`,
    BlockIO: `${size(row.BlockIn)} / ${size(row.BlockOut)}`,
    PIDs: String(row.PIDs),
  };
}
