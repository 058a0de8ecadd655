import { pad, widthOf } from "./colour.ts";

/** Columns as wide as their widest cell, three blanks apart; the last is not filled up. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ""))));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column]!)))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}
