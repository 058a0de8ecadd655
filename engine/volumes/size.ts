import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Of `blocks`, whatever the file system's own are. @see stat(2) */
const BLOCK = 512;

/**
 * Bytes that the file system holds for a directory and all in it, a file with several links counted once: what its
 * removal frees. Links are not followed.
 */
export async function diskUsage(directory: string): Promise<number> {
  const seen = new Set<string>();
  const visit = async (path: string): Promise<number> => {
    // A running container may remove a file between two calls.
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) return 0;
    const key = `${found.dev}:${found.ino}`;
    if (seen.has(key)) return 0;
    seen.add(key);
    let total = found.blocks * BLOCK;
    if (!found.isDirectory()) return total;
    for (const name of await readdir(path).catch(() => [])) total += await visit(join(path, name));
    return total;
  };
  return visit(directory);
}
