import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Values that BuildKit's own front end computed, where the folder of shared cases lies beside the project.
 *
 * @returns undefined where it is absent; a line says so
 */
export function vectors<T>(name: string): T | undefined {
  const path = join(import.meta.dirname, "../../../../shared/cases/dockerfile/vectors", `${name}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as T;
  console.log(`skipped: ${name} vectors, ../shared/cases is not here`);
  return undefined;
}

/** Runs `check` on each case and returns one readable line for each that differs, at most `most`. */
export function differences<T>(
  cases: readonly T[],
  check: (each: T) => string | undefined,
  most = 10,
): string {
  const lines: string[] = [];
  for (const each of cases) {
    const line = check(each);
    if (line !== undefined) lines.push(line);
  }
  if (lines.length === 0) return "";
  return [`${lines.length} of ${cases.length} differ`, ...lines.slice(0, most)].join("\n");
}

/** What a piece of work gives, or the message of what it throws. */
export function outcome<T>(work: () => T): { readonly value: T } | { readonly error: string } {
  try {
    return { value: work() };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
