import type { Progress } from "./types.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const WIDTH = 50;
/** Milliseconds between two lines of one item. */
const PACE = 100;

/** Bytes with four significant digits and decimal units, as Docker prints them: "1.297kB". */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${UNITS[unit]}`;
}

/** "[====>      ]  1.2MB/3.4MB" */
export function progressBar(current: number, total: number): string {
  const size = humanSize(current).padStart(8);
  if (total <= 0) return size;
  const done = Math.min(WIDTH, Math.floor((current / total) * WIDTH));
  const bar = done < WIDTH ? `${"=".repeat(done)}>${" ".repeat(WIDTH - done - 1)}` : `${"=".repeat(WIDTH)}>`;
  return `[${bar.slice(0, WIDTH + 1)}] ${size}/${humanSize(total)}`;
}

/** The lines of one layer: a status, or how much of it is done, told often enough and no more. */
export class ItemProgress {
  readonly #progress: Progress;
  readonly #id: string;
  #last = 0;

  constructor(progress: Progress, id: string) {
    this.#progress = progress;
    this.#id = id;
  }

  status(status: string): void {
    this.#progress({ status, progressDetail: {}, id: this.#id });
  }

  amount(status: string, current: number, total: number): void {
    const now = Date.now();
    if (now - this.#last < PACE) return;
    this.#last = now;
    this.#progress({
      status,
      progressDetail: { current, total },
      progress: progressBar(current, total),
      id: this.#id,
    });
  }
}

/** The first twelve digits of a digest. */
export function shortId(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}
