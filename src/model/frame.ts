import { type Place, positionOf } from "./place.ts";

/** Lines of the file around a place, as a compiler shows them. */
const BEFORE = 2;
const AFTER = 1;
const WIDTH = 120;

/**
 * Shows a place in its file.
 *
 * @param other a second place of the same file, shown the same way above or below
 * @returns lines such as `  12 |   ports: 80` and a line of `^` below the piece that is meant
 */
export function codeFrame(at: Place, other?: Place): string {
  const places = other && other.file === at.file ? [at, other].sort((a, b) => a.start - b.start) : [at];
  const shown = new Map<number, string | undefined>();
  for (const place of places) {
    const { line } = positionOf(place);
    for (let n = Math.max(1, line - BEFORE); n <= Math.min(line + AFTER, place.file.starts.length); n++) {
      if (!shown.has(n)) shown.set(n, undefined);
    }
    shown.set(line, carets(place));
  }
  const numbers = [...shown.keys()].sort((a, b) => a - b);
  const width = String(numbers.at(-1)).length;
  const lines: string[] = [];
  let last = 0;
  for (const n of numbers) {
    const text = at.file.line(n);
    if (n === numbers.at(-1) && text === "" && shown.get(n) === undefined) continue;
    if (last && n > last + 1) lines.push(`  ${" ".repeat(width)} ⋮`);
    lines.push(`${shown.get(n) ? ">" : " "} ${String(n).padStart(width)} | ${cut(text)}`.trimEnd());
    const marks = shown.get(n);
    if (marks) lines.push(`  ${" ".repeat(width)} | ${marks}`);
    last = n;
  }
  return lines.join("\n");
}

/** Marks below the part of the place that is on its first line; tabs are kept, so that they line up. */
function carets(place: Place): string {
  const { line, column } = positionOf(place);
  const text = place.file.line(line);
  const before = text.slice(0, column - 1).replace(/[^\t]/g, " ");
  const rest = text.length - (column - 1);
  const multiline = place.file.text.slice(place.start, place.end).includes("\n");
  const length = Math.max(
    1,
    Math.min(place.end - place.start, multiline ? text.trimEnd().length - (column - 1) : rest),
  );
  if (column > WIDTH) return "";
  return before + "^".repeat(Math.min(length, WIDTH - before.length));
}

const cut = (text: string): string => (text.length > WIDTH ? `${text.slice(0, WIDTH)}…` : text);
