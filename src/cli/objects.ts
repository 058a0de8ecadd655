/** Arguments and output that the commands on the engine's objects share. */

import { AppError } from "../errors.ts";
import * as Args from "./args.ts";
import * as Flags from "./flags.ts";

export function namesArg(description: string) {
  return { name: Args.string({ required: true, multiple: true, description }) };
}

export const formatFlag = Flags.string({
  default: "table",
  helpValue: "FORMAT",
  summary: "table, json (one object a line) or a template such as '{{.Name}}'",
});

/** Docker's prune asks first unless it is told not to; here nothing is asked. */
export const pruneFlags = {
  filter: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "KEY=VALUE",
    summary: "Only what fits, such as until=24h or label=KEY",
  }),
  force: Flags.boolean({ char: "f", hidden: true }),
};

export const inspectFlags = {
  format: Flags.string({ char: "f", helpValue: "TEMPLATE", summary: "Only a part, such as '{{.Name}}'" }),
};

export const listFlags = {
  quiet: Flags.boolean({ char: "q", summary: "Only ids or names" }),
  format: formatFlag,
  filter: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "KEY=VALUE",
    summary: "Only what fits",
  }),
};

export const forceFlag = Flags.boolean({ char: "f", summary: "Even if it is in use" });

export const labelFlag = Flags.string({
  multiple: true,
  multipleNonGreedy: true,
  helpValue: "KEY=VALUE",
  summary: "Label of the new object",
});

/**
 * `--filter label=a --filter label=b` as the Engine API has it.
 *
 * @throws {AppError} USAGE
 */
export function readFilters(texts: readonly string[] = []): Readonly<Record<string, readonly string[]>> {
  const filters: Record<string, string[]> = {};
  for (const text of texts) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined) throw new AppError("USAGE", `--filter ${text}: write KEY=VALUE`);
    (filters[key] ??= []).push(value!);
  }
  return filters;
}

/** `KEY=VALUE` texts as a record; a bare KEY has the empty value. */
export function readPairs(texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** Prints a list: as a table, as one JSON object a line, or the keys alone. */
export async function printList<T>(
  rows: readonly T[],
  columns: readonly (readonly [string, (row: T) => string])[],
  key: (row: T) => string,
  flags: { readonly quiet: boolean; readonly format: string },
  print: (line: string) => void,
): Promise<void> {
  if (flags.quiet) for (const id of new Set(rows.map(key))) print(id);
  else {
    const { printRows } = await import("./format.ts");
    await printRows(rows, columns, flags.format, print);
  }
}

export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}
