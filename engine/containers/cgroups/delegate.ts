import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const LEAF = "slipway-engine";

/**
 * Makes room in a cgroup that was delegated to an ordinary user: whoever is in it moves to a leaf of its own, for the
 * kernel gives no controllers to the children of a cgroup that has processes.
 *
 * @param own the cgroup of this process: that one, or already the leaf
 * @returns the cgroup that containers' are made in
 * @see cgroups(7), "Cgroups v2 "no internal processes" rule"
 */
export async function settle(own: string): Promise<string> {
  if (own.endsWith(`/${LEAF}`)) return own.slice(0, -LEAF.length - 1);
  const leaf = join(own, LEAF);
  await mkdir(leaf, { recursive: true });
  const pids = (await readFile(join(own, "cgroup.procs"), "utf8")).split("\n").filter(Boolean);
  // Those of others, or that have just ended, stay: then the kernel says so when a limit is set.
  for (const pid of pids) await writeFile(join(leaf, "cgroup.procs"), pid).catch(() => {});
  return own;
}
