/** The project's name. */
import { basename } from "node:path";
import { AppError } from "../errors.ts";
import { type Node, textOf } from "./node.ts";
import { problem } from "./problems.ts";

/** A name made from any text: lower case, what is not allowed dropped. */
export const normalizeName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");

const HINT = "Use lower case letters, digits, `-` and `_`, and begin with a letter or digit.";

export interface Given {
  readonly name: string;
  /** The flag, or where COMPOSE_PROJECT_NAME was set. */
  readonly from: string;
}

/**
 * @param given by a flag or COMPOSE_PROJECT_NAME: taken as it is, or refused
 * @param declared by `name:` of a file
 * @throws {AppError} PROJECT_NAME
 */
export function projectName(given: Given | undefined, declared: Node | undefined, directory: string): string {
  if (given !== undefined) {
    if (normalizeName(given.name) === given.name) return given.name;
    throw new AppError("PROJECT_NAME", `"${given.name}", from ${given.from}, is no name for a project`, {
      hint: HINT,
    });
  }
  const text = textOf(declared);
  const name = normalizeName(text || basename(directory));
  if (name !== "") return name;
  if (declared && text)
    throw problem("PROJECT_NAME", `"${text}" is no name for a project`, declared.at, { hint: HINT });
  throw new AppError("PROJECT_NAME", "the project has no name", {
    hint: "Write `name: NAME` into the file, or give one with -p.",
  });
}
