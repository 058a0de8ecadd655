import type { ReportEvent } from "../context.ts";
import { clip, type Paint, pad, widthOf } from "./colour.ts";
import type { ClosableReport } from "./report.ts";
import { size } from "./size.ts";

const FRAMES = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
const REDRAW_MS = 100;
const STATE_COLUMNS = 46; // what a build step may take

interface Row {
  readonly event: ReportEvent;
  readonly began: number; // ms
  readonly ended: number | undefined;
}

/**
 * Rows that are redrawn in place, at most ten times a second and only when something has changed or a spinner turns;
 * never more rows than the terminal has. Lines (`note`, `warn`) scroll away above them. After `close`, when the
 * terminal belongs to the services' output, what is reported are lines.
 */
export function ttyReport(
  stream: Pick<NodeJS.WriteStream, "write" | "columns" | "rows">,
  paint: Paint,
  now: () => number = () => performance.now(),
): ClosableReport {
  const rows = new Map<string, Row>();
  const above: string[] = [];
  let drawn = 0; // rows on the screen
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  let lines = false;

  const draw = (final: boolean): void => {
    const width = Math.max(20, (stream.columns ?? 80) - 1);
    const height = Math.max(4, (stream.rows ?? 24) - 2);
    const all = [...rows.values()];
    const shown = final ? all : fit(all, height);
    const drawing = shown.map((row) =>
      clip(rowText(row, all, paint, final ? "·" : FRAMES[frame % FRAMES.length]!, now()), width),
    );
    const hidden = all.length - shown.length;
    if (hidden > 0) drawing.push(paint("dim", ` … ${hidden} more`));
    const text = [...above.splice(0).map((line) => clip(line, width * 20)), ...drawing]
      .map((line) => `${line}\x1b[K\n`)
      .join("");
    stream.write(`${drawn > 0 ? `\x1b[${drawn}A` : ""}\r${text}\x1b[J`);
    drawn = drawing.length;
    frame += 1;
  };
  const schedule = (): void => {
    if (timer !== undefined) return;
    draw(false);
    timer = setInterval(() => {
      if ([...rows.values()].some(({ event }) => event.phase === "working") || above.length > 0) draw(false);
    }, REDRAW_MS);
    timer.unref();
  };
  return {
    on(event: ReportEvent): void {
      if (lines) {
        if (event.phase !== "working") stream.write(`${lineText(event, paint)}\n`);
        return;
      }
      if (event.phase === "note" || event.phase === "warn") {
        above.push(lineText(event, paint));
      } else {
        const key = `${event.subject} ${event.id}`;
        const before = rows.get(key);
        const final = event.phase !== "working";
        // The same last word again changes nothing; a new one after it belongs to the same work.
        const again = final && before?.ended !== undefined;
        const ended = !final ? undefined : again && before.event.text === event.text ? before.ended : now();
        const began = before && (again || before.ended === undefined) ? before.began : now();
        const merged =
          event.why === undefined && before?.event.why !== undefined
            ? { ...event, why: before.event.why }
            : event;
        rows.set(key, { event: merged, began, ended });
      }
      schedule();
    },
    close(): void {
      clearInterval(timer);
      if (timer !== undefined) draw(true);
      timer = undefined;
      lines = true;
    },
  };
}

function lineText({ id, phase, text, why }: ReportEvent, paint: Paint): string {
  const marks = {
    done: paint("green", "✔"),
    failed: paint("red", "✘"),
    warn: paint("yellow", "!"),
    note: " ",
    working: " ",
  };
  return ` ${marks[phase]} ${id}: ${text}${why ? paint("dim", ` (${why})`) : ""}`;
}

/** Where there are too many rows, those that still work are shown, then the last that ended. */
function fit(rows: readonly Row[], height: number): readonly Row[] {
  if (rows.length <= height) return rows;
  const kept = new Set(
    [...rows.filter(({ event }) => event.phase === "working"), ...rows.toReversed()].slice(0, height),
  );
  return rows.filter((row) => kept.has(row));
}

function rowText(
  { event, began, ended }: Row,
  rows: readonly Row[],
  paint: Paint,
  spinner: string,
  time: number,
): string {
  const mark =
    event.phase === "done"
      ? paint("green", "✔")
      : event.phase === "failed"
        ? paint("red", "✘")
        : paint("cyan", spinner);
  const names = rows.map((row) => widthOf(nameOf(row.event)));
  const name = pad(nameOf(event), Math.min(40, Math.max(...names)));
  const widest = Math.min(STATE_COLUMNS, Math.max(12, ...rows.map((row) => widthOf(row.event.text))));
  const text = clip(event.text, widest);
  const state = event.phase === "failed" ? paint("red", text) : text;
  const seconds = ((ended ?? time) - began) / 1000;
  const bar = event.total ? progress(event.current ?? 0, event.total) : "";
  return ` ${mark} ${name}  ${pad(state, widest)} ${paint("dim", `${seconds.toFixed(1)}s`.padStart(6))}${bar}${
    event.why ? `  ${paint("dim", event.why)}` : ""
  }`;
}

function progress(current: number, total: number): string {
  const share = Math.min(1, current / total);
  const filled = Math.round(share * 12);
  return `  ▕${"█".repeat(filled)}${" ".repeat(12 - filled)}▏${String(Math.round(share * 100)).padStart(4)}%  ${size(current)}/${size(total)}`;
}

function nameOf({ subject, id }: ReportEvent): string {
  return subject === "container" || subject === "project" || subject === "build" ? id : `${subject} ${id}`;
}
