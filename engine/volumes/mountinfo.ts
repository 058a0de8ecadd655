import { readFile } from "node:fs/promises";

/**
 * Whether something is mounted at a path.
 *
 * @param path absolute and without symbolic links
 * @see proc_pid_mountinfo(5): the fifth field, with blanks and backslashes as octal escapes
 */
export async function isMountPoint(path: string): Promise<boolean> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  return lines.some((line) => unquote(line.split(" ")[4] ?? "") === path);
}

/** The mount that a path lies on: where it is mounted, and how it shares with others. */
export interface PathMount {
  readonly target: string;
  /** It is a peer of others. */
  readonly shared: boolean;
  /** It receives what others mount. */
  readonly slave: boolean;
}

/**
 * @param path absolute and without symbolic links
 * @see proc_pid_mountinfo(5): the optional fields are between the sixth and a hyphen
 */
export async function mountOf(path: string): Promise<PathMount | undefined> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line !== "");
  const mounts = lines.map((line) => {
    const fields = (line.split(" - ")[0] ?? "").split(" ");
    const tags = fields.slice(6);
    return {
      target: unquote(fields[4] ?? ""),
      shared: tags.some((tag) => tag.startsWith("shared:")),
      slave: tags.some((tag) => tag.startsWith("master:")),
    };
  });
  const above = mounts.filter(
    ({ target }) => target === "/" || path === target || path.startsWith(`${target}/`),
  );
  // Of several at one place the last lies on top.
  return above.reduce<PathMount | undefined>(
    (best, mount) => (mount.target.length >= (best?.target.length ?? 0) ? mount : best),
    undefined,
  );
}

function unquote(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
