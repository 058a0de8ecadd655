import { expand, NO_ENVIRONMENT } from "./words.ts";

/** `<<NAME` as it stands in an instruction. */
export interface HeredocStart {
  readonly name: string;
  readonly expand: boolean; // no part of the name was quoted
  readonly stripTabs: boolean; // `<<-`
  readonly fd: number;
}

export interface Heredoc extends HeredocStart {
  readonly content: string; // as in the file, tabs not stripped
  readonly startLine: number; // of the content
}

/** The heredocs that an instruction's text starts, in order. */
export function heredocsIn(line: string): HeredocStart[] {
  const { words } = expand(line, NO_ENVIRONMENT, { rawQuotes: true, rawEscapes: true, keepUnset: true });
  return words.map(parseHeredoc).filter((each) => each !== undefined);
}

/** @returns undefined for a word that starts no heredoc */
export function parseHeredoc(word: string): HeredocStart | undefined {
  const match = /^(\d*)<<(-?)\s*([^<]*)$/.exec(word);
  if (match === null || match[3] === "") return undefined;
  const rest = match[3]!;
  const plain = expand(rest, NO_ENVIRONMENT, { keepUnset: true }).words;
  const raw = expand(rest, NO_ENVIRONMENT, { keepUnset: true, rawQuotes: true }).words;
  if (plain.length !== 1 || raw.length !== 1) return undefined;
  return {
    name: plain[0]!,
    expand: plain[0] === raw[0],
    stripTabs: match[2] === "-",
    fd: match[1] === "" ? 0 : Number(match[1]),
  };
}

/** The content with `<<-` carried out: no tabs in front of its lines. */
export function heredocText(heredoc: Heredoc): string {
  return heredoc.stripTabs ? heredoc.content.replace(/^\t+/gm, "") : heredoc.content;
}
