import { relative } from "node:path";
import type { Warning } from "../model/types.ts";

/** `CODE file:line:column  sentence`, and what to do below it. */
export function warningText({ code, message, at, hint }: Warning, cwd: string): string {
  const file = at && relative(cwd, at.file);
  const place = at
    ? ` ${file === "" || file!.startsWith("..") ? at.file : file}:${at.line}:${at.column}`
    : "";
  return `${code}${place}  ${message}${hint === undefined ? "" : `\n  ${hint}`}`;
}
