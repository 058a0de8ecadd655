import { AppError, AppErrors, type SourcePosition } from "../errors.ts";
import type { Project, Warning } from "../model/types.ts";
import { type Documents, toUri } from "./documents.ts";
import type { Diagnostic, Range } from "./protocol.ts";

/** What is wrong with a project, by the file that it is in. */
export interface Diagnosis {
  readonly project: Project | undefined;
  /** By URI; what has no place is at the start of the document that was asked for. */
  readonly found: ReadonlyMap<string, readonly Diagnostic[]>;
}

export async function diagnose(
  documents: Documents,
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Diagnosis> {
  const found = new Map<string, Diagnostic[]>([[toUri(path), []]]);
  const add = (at: SourcePosition | undefined, diagnostic: Omit<Diagnostic, "range" | "source">): void => {
    const file = at?.file ?? path;
    const list = found.get(toUri(file)) ?? [];
    list.push({ range: rangeAt(documents, file, at), source: "slipway", ...diagnostic });
    found.set(toUri(file), list);
  };
  try {
    const project = await documents.load(path, env);
    const warn = ({ code, message, at, hint }: Warning, severity: 2 | 3): void =>
      add(at, { severity, code, message: withHint(message, hint) });
    for (const warning of project.warnings) warn(warning, 2);
    for (const warning of project.lint()) warn(warning, 3);
    return { project, found };
  } catch (error) {
    if (!(error instanceof AppErrors || error instanceof AppError)) throw error;
    for (const { code, message, at, hint } of error instanceof AppErrors ? error.errors : [error])
      add(at, { severity: 1, code, message: withHint(message, hint) });
    return { project: undefined, found };
  }
}

const withHint = (message: string, hint: string | undefined): string =>
  hint === undefined ? message : `${message}\n${hint}`;

/** From the place to the end of the word there. */
function rangeAt(documents: Documents, file: string, at: SourcePosition | undefined): Range {
  const line = (at?.line ?? 1) - 1;
  const character = (at?.column ?? 1) - 1;
  const rest = documents
    .text(file)
    .line(line + 1)
    .slice(character);
  const length = /^("[^"]*"|'[^']*'|[^\s:,\]}]+)/.exec(rest)?.[0].length ?? 1;
  return { start: { line, character }, end: { line, character: character + length } };
}
