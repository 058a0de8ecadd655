/** The project's name. */
import { basename } from "node:path";
import { AppError } from "../errors.ts";

/** A name made from any text: lower case, what is not allowed dropped. */
export const normalizeName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");

/**
 * @param given by a flag or COMPOSE_PROJECT_NAME: taken as it is, or refused
 * @param declared by `name:` of a file
 * @throws {AppError} PROJECT_NAME
 */
export function projectName(
  given: string | undefined,
  declared: string | undefined,
  directory: string,
): string {
  if (given !== undefined) {
    if (normalizeName(given) === given) return given;
    throw new AppError("PROJECT_NAME", `"${given}" is no name for a project`, {
      hint: "Use lower case letters, digits, `-` and `_`, and begin with a letter or digit.",
    });
  }
  const name = normalizeName(declared ?? "") || normalizeName(basename(directory));
  if (name !== "") return name;
  throw new AppError("PROJECT_NAME", "the project has no name", {
    hint: "Write `name: NAME` into the file, or give one with -p.",
  });
}
