import type { Paint } from "./colour.ts";
import { clip } from "./colour.ts";
import { tableText } from "./table.ts";

interface Row {
  readonly Name: string;
  readonly Image: string;
  readonly Service: string;
  readonly State: string;
  readonly Status: string;
  readonly Health: string;
  readonly ExitCode: number;
  readonly Ports: string;
  readonly Why: string;
}

/** The containers as people read them: green is well, yellow is not yet, red has failed. */
export function psTable(rows: readonly Row[], paint: Paint, columns: number | undefined): string {
  const titles = ["NAME", "SERVICE", "IMAGE", "STATUS", "PORTS"];
  // A column for what is wrong, where something is.
  const reasons = rows.some(({ Why }) => Why !== "");
  const cells = rows.map((row) => [
    row.Name,
    row.Service,
    row.Image,
    paint(colourOf(row), row.Status),
    row.Ports,
    ...(reasons ? [row.Why] : []),
  ]);
  const head = [...titles, ...(reasons ? ["WHY"] : [])].map((word) => paint("bold", word));
  const text = tableText(head, cells);
  return columns === undefined
    ? text
    : text
        .split("\n")
        .map((line) => clip(line, columns))
        .join("\n");
}

function colourOf({ State, Health, ExitCode }: Row): "green" | "yellow" | "red" | "dim" {
  if (Health === "unhealthy" || State === "dead") return "red";
  if (State === "exited") return ExitCode === 0 ? "dim" : "red";
  return State === "running" && Health !== "starting" ? "green" : "yellow";
}
