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

function unquote(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
