import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { AppError, AppErrors, type SourcePosition } from "../errors.ts";
import { colours, type Paint, painter } from "./colour.ts";

/** Colours of another program, which may not be closed again. */
const SGR = /\x1b\[[0-9;]*m/g;

/** Everything that went wrong, as failures with codes; what nobody expected is INTERNAL, with its stack as frame. */
export function failuresOf(error: unknown): readonly AppError[] {
  if (error instanceof AppErrors) return error.errors;
  if (error instanceof AppError) return [error];
  const cause = error instanceof Error ? error : new Error(String(error));
  return [
    new AppError("INTERNAL", cause.message, {
      cause,
      frame: (cause.stack ?? "").split("\n").slice(1).join("\n"),
      hint: "This is a fault of slipway; please report it with the lines above.",
    }),
  ];
}

export function printFailures(
  failures: readonly AppError[],
  stream: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
  form: "text" | "json",
): void {
  if (form === "json") {
    for (const failure of failures) stream.write(`${JSON.stringify(failureJson(failure))}\n`);
    return;
  }
  const paint = painter(colours(stream, env));
  stream.write(failures.map((failure) => failureText(failure, paint, process.cwd())).join("\n"));
  if (env["GITHUB_ACTIONS"] === "true") {
    for (const failure of failures) stream.write(annotation(failure, process.cwd()));
  }
}

/** The line of `--progress json` for a failure. */
export function failureJson({ code, message, at, hint }: AppError): object {
  return {
    v: 1,
    t: new Date().toISOString(),
    op: "error",
    err: {
      code,
      message,
      ...(at && { file: at.file, line: at.line, col: at.column }),
      ...(hint && { hint }),
    },
  };
}

/** `CODE file:line:column  sentence`, the lines around with a caret, and what to do now. */
export function failureText(failure: AppError, paint: Paint, cwd: string): string {
  const { code, message, at, hint } = failure;
  const place = at ? ` ${paint("cyan", `${shorten(at.file, cwd)}:${at.line}:${at.column}`)}` : "";
  const lines = [`${paint("red", code)}${place}  ${message}`];
  const frame = failure.frame ?? (at && sourceFrame(at));
  if (frame) lines.push(...frame.split("\n").map((line) => `  ${coloured(line, paint)}`));
  if (failure.said && failure.said.lines.length > 0) {
    lines.push(`  last lines of ${failure.said.by}:`);
    lines.push(...failure.said.lines.map((line) => `  ${paint("dim", "│")} ${line.replace(SGR, "")}`));
  }
  if (hint) lines.push(`  ${paint("dim", hint)}`);
  return `${lines.join("\n")}\n`;
}

/**
 * The lines around a place, with a mark below its word: as model/frame.ts shows them, for places whose piece of text
 * is not known.
 */
export function sourceFrame({ file, line, column }: SourcePosition, text = read(file)): string | undefined {
  const lines = text?.split(/\r?\n/);
  const own = lines?.[line - 1];
  if (lines === undefined || own === undefined) return undefined;
  const last = lines[line]?.trim() ? line + 1 : line;
  const width = String(last).length;
  const rest = own.slice(column - 1);
  const word = (/^"[^"]*"|^'[^']*'|^[\w.:/${}+-]+/.exec(rest)?.[0].length ?? 1) || 1;
  const result: string[] = [];
  for (let number = Math.max(1, line - 2); number <= last; number++) {
    const mark = number === line ? ">" : " ";
    result.push(`${mark} ${String(number).padStart(width)} | ${lines[number - 1]}`.trimEnd());
    if (number !== line) continue;
    const indent = own.slice(0, column - 1).replace(/[^\t]/g, " ");
    result.push(`  ${" ".repeat(width)} | ${indent}${"^".repeat(word)}`);
  }
  return result.join("\n");
}

/** Numbers step back, what is meant stands out. */
function coloured(line: string, paint: Paint): string {
  const [, mark, number, rest] = /^([> ])( +\d* +\|)(.*)$/s.exec(line) ?? [];
  if (number === undefined) return line;
  const carets = /^ *\^+ *$/.test(rest!) && !/\d/.test(number);
  return `${mark === ">" ? paint("red", ">") : " "}${paint("dim", number)}${carets ? paint("red", rest!) : rest}`;
}

/** GitHub shows it beside the changed line. */
function annotation({ code, message, at }: AppError, cwd: string): string {
  const place = at
    ? ` file=${shorten(at.file, cwd)},line=${at.line},col=${at.column},title=${code}`
    : ` title=${code}`;
  return `::error${place}::${message.replaceAll("%", "%25").replaceAll("\n", "%0A")}\n`;
}

function shorten(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short === "" || short.startsWith("..") ? file : short;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined; // Standard input, or gone since: the sentence must do.
  }
}
