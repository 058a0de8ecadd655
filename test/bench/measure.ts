import { spawnSync } from "node:child_process";

export interface Row {
  readonly name: string;
  /** Medians, in `unit`. */
  readonly ours: number;
  /** The best of ours, where it says more than the median alone. */
  readonly best?: number;
  readonly peer: number | undefined;
  readonly peerName: string;
  /** Of those that end in `/s`, more is better. */
  readonly unit: "ms" | "MiB" | "kB" | "MB/s" | "containers/s";
  /** What the figure should reach. */
  readonly mark: string;
}

/** Runs `ours` and `peer` in turn, `rounds` times after one warm-up each, and gives the medians in milliseconds. */
export async function inTurn(
  rounds: number,
  ours: () => unknown,
  peer?: () => unknown,
): Promise<{ ours: number; best: number; peer: number | undefined }> {
  const times: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  await ours();
  await peer?.();
  for (let round = 0; round < rounds; round += 1) {
    times.ours.push(await time(ours));
    if (peer !== undefined) times.peer.push(await time(peer));
  }
  return {
    ours: median(times.ours),
    best: Math.min(...times.ours),
    peer: peer === undefined ? undefined : median(times.peer),
  };
}

/** Milliseconds that the work takes. */
export async function time(work: () => unknown): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e6;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Runs a program to its end; a failure ends the benchmark, because its figure would mean nothing. */
export function must(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; stdio?: "ignore" } = {},
): string {
  const result = spawnSync(program, args, { encoding: "utf8", ...options });
  if (result.status !== 0) {
    throw new Error(`${program} ${args.join(" ")}: exit ${result.status}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

const ROUNDS = 3;

/** One of those that are compared. */
export interface Side {
  readonly name: string;
  /** What it calls an image of the registry. */
  readonly image: (name: string) => string;
  readonly run: (...args: string[]) => string;
  /** Waits for what goes on after a command has ended. */
  readonly settle?: () => void;
}

/** Times the same work on each side in turn; what comes before each time is not counted. @returns rows, one a rival */
export function compare(
  name: string,
  mark: (rival: string) => string,
  sides: readonly Side[],
  work: { readonly prepare?: (side: Side) => void; readonly run: (side: Side) => void },
  rounds = ROUNDS,
): Row[] {
  const times = sides.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, side] of sides.entries()) {
      work.prepare?.(side);
      side.settle?.();
      // Nobody pays for what another one left to be written.
      must("sync", []);
      const started = process.hrtime.bigint();
      work.run(side);
      times[at]?.push(Number(process.hrtime.bigint() - started) / 1e6);
    }
  }
  const [ours = Number.NaN, ...others] = times.map(median);
  const best = Math.min(...(times[0] ?? []));
  if (others.length === 0) return [{ name, ours, best, peer: undefined, peerName: "", unit: "ms", mark: "" }];
  return others.map((peer, at) => {
    const peerName = sides[at + 1]?.name ?? "";
    return { name, ours, best, peer, peerName, unit: "ms", mark: mark(peerName) };
  });
}

export function printRows(rows: readonly Row[]): void {
  const cells = rows.map((row) => [
    row.name,
    `${row.ours.toFixed(1)} ${row.unit}`,
    row.best === undefined ? "" : row.best.toFixed(1),
    row.peer === undefined ? "—" : `${row.peer.toFixed(1)} ${row.unit} (${row.peerName})`,
    row.peer === undefined ? "—" : timesBetter(row, row.peer).toFixed(2),
    row.mark,
  ]);
  const head = ["what", "slipway", "best", "peer", "times better", "mark"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]!.length)),
  );
  for (const row of [head, ...cells])
    console.log(row.map((cell, column) => cell.padEnd(widths[column]!)).join("  "));
}

function timesBetter({ ours, unit }: Row, peer: number): number {
  return unit.endsWith("/s") ? ours / peer : peer / ours;
}
