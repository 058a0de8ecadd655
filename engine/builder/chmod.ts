import { EngineError } from "../errors.ts";

/**
 * The value of `--chmod`.
 *
 * @returns permission bits, or chmod's symbolic form as it is written
 * @throws {EngineError} invalid
 */
export function parseChmod(text: string): number | string {
  const numeric = (): EngineError =>
    new EngineError(
      "invalid",
      `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    );
  if (/^[0-7]+$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if (mode > 0o7777) throw numeric();
    return mode;
  }
  if (/^\d/.test(text)) throw numeric();
  if (!/^[ugoa]*(?:[-+=][rwxXstugo]*)+(?:,[ugoa]*(?:[-+=][rwxXstugo]*)+)*$/.test(text)) {
    throw new EngineError("invalid", "invalid syntax");
  }
  return text;
}
