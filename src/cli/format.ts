/** `--format` of lists and of inspect, as Docker's commands have it. */
import { AppError } from "../errors.ts";

export type Columns<T> = readonly (readonly [string, (row: T) => string])[];

/**
 * Prints rows as a table, as one JSON object a line, or by a Go template; `table TEMPLATE` puts titles above.
 *
 * @throws {AppError} USAGE
 */
export async function printRows<T>(
  rows: readonly T[],
  columns: Columns<T>,
  format: string,
  print: (line: string) => void,
): Promise<void> {
  if (format === "json") {
    for (const row of rows) print(JSON.stringify(row));
    return;
  }
  const { tableText } = await import("../ui/table.ts");
  if (format === "table") {
    print(
      tableText(
        columns.map(([title]) => title),
        rows.map((row) => columns.map(([, cell]) => cell(row))),
      ),
    );
    return;
  }
  const [, titled, template = ""] = /^(table )?\s*(.*)$/s.exec(format) ?? [];
  if (!template.includes("{{"))
    throw new AppError("USAGE", `--format ${format}: write table, json or a template such as '{{.Name}}'`);
  const { goTemplate } = await import("../ui/gotemplate.ts");
  const render = goTemplate(template);
  const lines = rows.map(render);
  if (titled === undefined) for (const line of lines) print(line);
  else {
    // The title of a column is the field's own name, in capitals.
    const titles = template
      .replace(/\\t/g, "\t")
      .replace(/\{\{[^}]*?\.?(\w+)\s*\}\}/g, (_, name: string) => name.toUpperCase());
    print(
      tableText(
        titles.split("\t"),
        lines.map((line) => line.split("\t")),
      ),
    );
  }
}

/** What was inspected: all of it as JSON, or each by a template. */
export async function printInspected(
  found: readonly unknown[],
  format: string | undefined,
  print: (line: string) => void,
): Promise<void> {
  if (format === undefined || format === "") print(JSON.stringify(found, undefined, 4));
  else if (format === "json") for (const each of found) print(JSON.stringify(each));
  else {
    const { goTemplate } = await import("../ui/gotemplate.ts");
    const render = goTemplate(format);
    for (const each of found) print(render(each));
  }
}
