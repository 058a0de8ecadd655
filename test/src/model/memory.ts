/** Projects of texts, so that a test needs no folder. */
import { dirname, join } from "node:path";
import { AppError, AppErrors } from "../../../src/errors.ts";
import { load } from "../../../src/model/load.ts";
import type { Files } from "../../../src/model/source.ts";
import type { Project, ProjectSource } from "../../../src/model/types.ts";

/** Files below a folder. */
export function inMemory(directory: string, texts: Readonly<Record<string, string>>): Files {
  const files = new Map(Object.entries(texts).map(([name, text]) => [join(directory, name), text]));
  const folders = new Set([...files.keys()].flatMap((path) => parents(path)));
  return {
    read: (path) => files.get(path),
    kind: (path) => (files.has(path) ? "file" : folders.has(path) ? "directory" : undefined),
    real: (path) => path,
  };
}

const parents = (path: string): string[] =>
  dirname(path) === path ? [] : [dirname(path), ...parents(dirname(path))];

/**
 * Loads the files of the folder /shop.
 *
 * @param texts files by name, or the text of compose.yaml alone
 */
export function loadTexts(
  texts: Readonly<Record<string, string>> | string,
  source: Partial<ProjectSource> = {},
): Promise<Project> {
  const files = typeof texts === "string" ? { "compose.yaml": texts } : texts;
  return load({ cwd: "/shop", env: { HOME: "/home/user" }, ...source }, inMemory("/shop", files));
}

/** What is wrong with the files: `CODE file:line:column message` each, the folder left out. */
export async function mistakes(
  texts: Readonly<Record<string, string>> | string,
  source: Partial<ProjectSource> = {},
): Promise<string[]> {
  try {
    await loadTexts(texts, source);
    return [];
  } catch (error) {
    if (!(error instanceof AppErrors || error instanceof AppError)) throw error;
    const errors = error instanceof AppErrors ? error.errors : [error];
    return errors.map(
      ({ code, at, message }) =>
        `${code} ${at ? `${at.file.replace("/shop/", "")}:${at.line}:${at.column} ` : ""}${message.replaceAll("/shop/", "")}`,
    );
  }
}

/** The failure itself, for its frame and hint. */
export async function failure(texts: Readonly<Record<string, string>> | string): Promise<AppError> {
  try {
    await loadTexts(texts);
  } catch (error) {
    if (error instanceof AppErrors) return error.errors[0]!;
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("it is accepted");
}
