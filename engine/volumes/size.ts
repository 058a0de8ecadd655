import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Bytes that the files beneath a directory take, a file with several links counted once. Links are not followed. */
export async function diskUsage(directory: string): Promise<number> {
  const seen = new Set<string>();
  let total = 0;
  const visit = async (path: string): Promise<void> => {
    for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
      const child = join(path, entry.name);
      // A running container may remove a file between the two calls.
      const found = await lstat(child).catch(() => undefined);
      if (found === undefined) continue;
      const key = `${found.dev}:${found.ino}`;
      if (!seen.has(key)) total += found.isFile() ? found.size : 0;
      seen.add(key);
      if (entry.isDirectory()) await visit(child);
    }
  };
  await visit(directory);
  return total;
}
