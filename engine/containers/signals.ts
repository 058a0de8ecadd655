import { constants } from "node:os";
import { EngineError } from "../errors.ts";

/**
 * The number of a signal as clients write it: `SIGTERM`, `term`, `15`, `RTMIN+3`.
 *
 * @throws {EngineError} invalid, in Docker's words
 */
export function signalNumber(text: string): number {
  if (/^-?\d+$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= RTMAX) return number;
    if (number === 0) throw new EngineError("invalid", `invalid signal: ${text}`);
    throw new EngineError("invalid", `the linux daemon does not support signal ${text}`);
  }
  const name = text.toUpperCase().replace(/^SIG/, "");
  const real = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (real !== null) {
    const number = (real[1] === "MIN" ? RTMIN : RTMAX) + Number(`${real[2] ?? ""}${real[3] ?? 0}`);
    if (number >= RTMIN && number <= RTMAX) return number;
  }
  const number = (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  if (number === undefined) throw new EngineError("invalid", `invalid signal: ${text}`);
  return number;
}

/** As libc counts them for programs; the kernel's own first two are taken by its threads library. */
const RTMIN = 34;
const RTMAX = 64;
