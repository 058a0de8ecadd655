import type { ReportEvent } from "../context.ts";
import { clip, type Paint, pad, widthOf } from "./colour.ts";
import type { ClosableReport } from "./report.ts";
import { size } from "./size.ts";

const FRAMES = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
const REDRAW_MS = 100;
const STATE_COLUMNS = 46; // what a build step may take

/** Lines of output that are shown below what printed them, while it works. */
const TAIL = 4;

interface Row {
  readonly event: ReportEvent;
  readonly began: number; // ms
  readonly ended: number | undefined;
  readonly tail: readonly string[];
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
    const all = inOrder([...rows.values()]);
    const shown = final ? all : fit(all, height);
    const spinner = final ? "·" : FRAMES[frame % FRAMES.length]!;
    let free = height - shown.length;
    const drawing = shown.flatMap((row) => {
      const room = final || row.ended !== undefined ? 0 : Math.max(0, Math.min(TAIL, free));
      const tail = room === 0 ? [] : row.tail.slice(-room);
      free -= tail.length;
      const text =
        row.event.step === undefined
          ? rowText(row, all, paint, spinner, now())
          : stepText(row, paint, spinner, now());
      return [text, ...tail.map((line) => paint("dim", `     │ ${line}`))].map((line) => clip(line, width));
    });
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
      const key = `${event.subject} ${event.id} ${event.step ?? ""}`;
      const before = rows.get(key);
      if (event.phase === "output") {
        if (before !== undefined)
          rows.set(key, { ...before, tail: [...before.tail, printable(event.text)].slice(-TAIL) });
        return;
      }
      if (event.phase === "note" || event.phase === "warn") {
        above.push(lineText(event, paint));
      } else {
        const final = event.phase !== "working";
        // The same last word again changes nothing; a new one after it belongs to the same work.
        const at = now();
        const again = final && before?.ended !== undefined;
        const ended = !final ? undefined : again && before.event.text === event.text ? before.ended : at;
        const began = before && (again || before.ended === undefined) ? before.began : at;
        const merged =
          event.why === undefined && before?.event.why !== undefined
            ? { ...event, why: before.event.why }
            : event;
        rows.set(key, { event: merged, began, ended, tail: before?.tail ?? [] });
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
    output: "│",
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

/** Without what would move the cursor or change colours in the middle of a drawing. */
function printable(text: string): string {
  return text.replaceAll("\t", "    ").replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f]/g, "");
}

/** Steps below the work that they are of. */
function inOrder(rows: readonly Row[]): readonly Row[] {
  const steps = rows.filter(({ event }) => event.step !== undefined);
  if (steps.length === 0) return rows;
  return rows
    .filter(({ event }) => event.step === undefined)
    .flatMap((row) => [
      row,
      ...steps.filter(({ event }) => event.subject === row.event.subject && event.id === row.event.id),
    ]);
}

function markOf({ event }: Row, paint: Paint, spinner: string): string {
  if (event.phase === "done") return paint("green", "✔");
  return event.phase === "failed" ? paint("red", "✘") : paint("cyan", spinner);
}

function stepText(row: Row, paint: Paint, spinner: string, time: number): string {
  const { event, began, ended } = row;
  const seconds = `${(((ended ?? time) - began) / 1000).toFixed(1)}s`;
  const end = event.text.endsWith("CACHED") ? paint("dim", "cached") : paint("dim", seconds);
  return `   ${markOf(row, paint, spinner)} ${event.step}  ${end}`;
}

function rowText(row: Row, all: readonly Row[], paint: Paint, spinner: string, time: number): string {
  const { event, began, ended } = row;
  const rows = all.filter((each) => each.event.step === undefined);
  const mark = markOf(row, paint, spinner);
  const names = rows.map((each) => widthOf(nameOf(each.event)));
  const name = pad(nameOf(event), Math.min(40, Math.max(...names)));
  const widest = Math.min(STATE_COLUMNS, Math.max(12, ...rows.map((each) => widthOf(each.event.text))));
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
