/** SGR codes by name: one foreground or attribute each. */
const CODES = {
  bold: 1,
  dim: 2,
  underline: 4,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
} as const;

export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

export interface Surface {
  readonly isTTY?: boolean | undefined;
}

/**
 * Whether to colour what goes to `stream`.
 *
 * @param ansi `--ansi`: always and never are final; auto follows NO_COLOR, FORCE_COLOR, TERM and the stream
 */
export function colours(stream: Surface, env: NodeJS.ProcessEnv, ansi = "auto"): boolean {
  if (ansi !== "auto") return ansi === "always";
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

export function painter(on: boolean): Paint {
  return on ? (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m` : (_, text) => text;
}

/** The columns that `text` takes: escape sequences none, wide characters two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "")) {
    const code = char.codePointAt(0)!;
    if (code < 32 || (code >= 0x300 && code < 0x370)) continue;
    width +=
      (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xffdc) || code >= 0x1f300 ? 2 : 1;
  }
  return width;
}

/** `text` filled with blanks up to `width` columns. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** `text` cut to `width` columns, its last one an ellipsis; colours are kept and closed. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let used = 0;
  let result = "";
  for (const [part] of text.matchAll(/\x1b\[[0-9;]*[A-Za-z]|./gsu)) {
    if (!part.startsWith("\x1b")) {
      used += widthOf(part);
      if (used > width - 1) return `${result}…${text.includes("\x1b[") ? "\x1b[0m" : ""}`;
    }
    result += part;
  }
  return result;
}
