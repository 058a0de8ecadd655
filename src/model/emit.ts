/** Values as YAML that old and new parsers read alike: what could be taken for another type is put in quotes. */
import { resolvePlain } from "./scalars.ts";

/** Words that YAML 1.1 takes for truth values, and letters that begin something else. */
const WORD = /^(y|n|yes|no|on|off|true|false|null|~)$/i;
const PLAIN = /^[A-Za-z0-9_./$(][^\n\r\t\0-\x1f\x7f-\x9f\u2028\u2029\uFEFF]*$/;

/** @param value plain values of a JSON kind, and bigint; `undefined` entries are left out */
export function toYaml(value: unknown): string {
  if (typeof value !== "object" || value === null) return `${scalarText(value, "")}\n`;
  const lines: string[] = [];
  emit(value, "", lines);
  return lines.length > 0 ? `${lines.join("\n")}\n` : `${Array.isArray(value) ? "[]" : "{}"}\n`;
}

function emit(value: object, indent: string, lines: string[]): void {
  if (Array.isArray(value)) {
    for (const item of value) emitItem(item, indent, lines);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const name = quoted(key);
    if (isEmptyOrScalar(item)) lines.push(`${indent}${name}: ${inline(item, indent)}`);
    else {
      lines.push(`${indent}${name}:`);
      emit(item as object, `${indent}  `, lines);
    }
  }
}

/** The first line of an item stands behind the dash. */
function emitItem(item: unknown, indent: string, lines: string[]): void {
  if (isEmptyOrScalar(item)) {
    lines.push(`${indent}- ${inline(item, indent)}`);
    return;
  }
  const first = lines.length;
  emit(item as object, `${indent}  `, lines);
  lines[first] = `${indent}- ${lines[first]!.slice(indent.length + 2)}`;
}

const isEmptyOrScalar = (value: unknown): boolean =>
  typeof value !== "object" || value === null || Object.keys(value).length === 0;

function inline(value: unknown, indent: string): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "[]" : "{}";
  return scalarText(value, indent);
}

function scalarText(value: unknown, indent: string): string {
  if (value === null) return "null";
  if (typeof value !== "string") return String(value);
  return blockText(value, indent) ?? quoted(value);
}

/** Lines of text stay lines where nothing in them is lost. */
function blockText(text: string, indent: string): string | undefined {
  if (
    !text.includes("\n") ||
    /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\uFEFF]/.test(text) ||
    /^[ \n]/.test(text) ||
    /[ \n]\n*$/.test(text.replace(/\n$/, ""))
  )
    return undefined;
  const body = text.replace(/\n$/, "");
  const lines = body.split("\n").map((line) => (line === "" ? "" : `${indent}  ${line}`));
  return `|${text.endsWith("\n") ? "" : "-"}\n${lines.join("\n")}`;
}

function quoted(text: string): string {
  const plain =
    PLAIN.test(text) &&
    !WORD.test(text) &&
    !text.endsWith(":") &&
    !text.endsWith(" ") &&
    !/: | #/.test(text) &&
    !/^\d[\d:]*:\d+$/.test(text) &&
    !/^\d{4}-\d/.test(text) &&
    typeof resolvePlain(text) === "string";
  return plain ? text : JSON.stringify(text);
}
