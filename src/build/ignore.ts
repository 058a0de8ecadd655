/**
 * `.dockerignore`: which paths of a build context are left out.
 *
 * @see docs.docker.com/build/concepts/context, ".dockerignore files"; moby/patternmatcher
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

interface Rule {
  readonly pattern: RegExp;
  readonly keep: boolean; // begins with `!`
}

export class Ignore {
  readonly #rules: readonly Rule[];

  constructor(text: string) {
    this.#rules = text
      .replace(/^\uFEFF/, "")
      .split(/\r?\n/)
      .filter((line) => !line.startsWith("#") && line.trim() !== "")
      .map((line) => readRule(line.trim()));
  }

  /**
   * Reads the rules of a context: `<Dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore`.
   *
   * @param dockerfile absolute path, or undefined where there is no such file
   */
  static async of(context: string, dockerfile?: string): Promise<Ignore> {
    for (const file of [
      ...(dockerfile ? [`${dockerfile}.dockerignore`] : []),
      join(context, ".dockerignore"),
    ]) {
      const text = await readFile(file, "utf8").catch(() => undefined);
      if (text !== undefined) return new Ignore(text);
    }
    return new Ignore("");
  }

  /** @param path relative to the context, `/` between names. The last rule that fits decides. */
  ignores(path: string): boolean {
    let ignored = false;
    for (const { pattern, keep } of this.#rules) if (pattern.test(path)) ignored = !keep;
    return ignored;
  }

  /** Whether something beneath an ignored directory may be taken back by a later `!`. */
  mayKeepBeneath(): boolean {
    return this.#rules.some(({ keep }) => keep);
  }
}

function readRule(line: string): Rule {
  const keep = line.startsWith("!");
  const path = (keep ? line.slice(1) : line)
    .trim()
    .replace(/^\/+/, "")
    .replace(/^\.\//, "")
    .replace(/\/+$/, "");
  return { pattern: new RegExp(`^${globSource(path)}(?:/.*)?$`, "s"), keep };
}

/** Go's `filepath.Match` with `**`: `*` and `?` stop at `/`. A pattern also covers all that lies beneath it. */
export function globSource(glob: string): string {
  let source = "";
  for (let index = 0; index < glob.length; index++) {
    const char = glob[index]!;
    if (char === "*") {
      if (glob[index + 1] !== "*") {
        source += "[^/]*";
        continue;
      }
      index += 1;
      if (glob[index + 1] === "/") {
        index += 1;
        source += "(?:.*/)?";
      } else {
        source += ".*";
      }
    } else if (char === "?") {
      source += "[^/]";
    } else if (char === "[") {
      const end = glob.indexOf("]", index + 2);
      if (end < 0) {
        source += "\\[";
        continue;
      }
      source += `[${glob.slice(index + 1, end).replace(/\\/g, "\\\\")}]`;
      index = end;
    } else if (char === "\\") {
      index += 1;
      source += literal(glob[index] ?? "\\");
    } else {
      source += literal(char);
    }
  }
  return source;
}

function literal(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
