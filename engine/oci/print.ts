/** What `list` and `ps` print. */
import { execFileSync } from "node:child_process";
import { EngineError } from "../errors.ts";
import type { OciState } from "./state.ts";

export function printList(states: readonly OciState[], format = "table", quiet: boolean): void {
  if (quiet) process.stdout.write(states.map(({ id }) => `${id}\n`).join(""));
  else if (format === "json") process.stdout.write(`${JSON.stringify(states)}\n`);
  else if (format !== "table") throw new EngineError("invalid", "invalid format option");
  else {
    const rows = states.map(({ id, pid, status, bundle, created }) => [
      id,
      String(pid),
      status,
      bundle,
      created,
    ]);
    process.stdout.write(table([["ID", "PID", "STATUS", "BUNDLE", "CREATED"], ...rows]));
  }
}

/** JSON is the pids alone, as Docker and Podman read it; a table is what ps(1) says of them. */
export function printProcesses(pids: readonly number[], format = "table"): void {
  if (format === "json") {
    process.stdout.write(`${JSON.stringify(pids)}\n`);
    return;
  }
  if (format !== "table") throw new EngineError("invalid", "invalid format option");
  const [head = "", ...lines] = execFileSync("ps", ["-ef"], { encoding: "utf8" }).trimEnd().split("\n");
  const wanted = new Set(pids.map(String));
  const own = lines.filter((line) => wanted.has(line.trim().split(/\s+/)[1] ?? ""));
  process.stdout.write(`${[head, ...own].join("\n")}\n`);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}
