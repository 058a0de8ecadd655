import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Paths } from "../store/paths.ts";

/**
 * A layer that lies on top of every image's: the mount points that each container needs. With it they are not made
 * in the container's own layer, where `diff`, `commit` and a build's next layer would show them.
 */
export function initLayer(paths: Paths): string {
  return join(paths.dataRoot, "init", "fs");
}

export async function ensureInitLayer(paths: Paths): Promise<void> {
  const root = initLayer(paths);
  await mkdir(dirname(root), { recursive: true, mode: 0o710 });
  for (const directory of ["", "dev", "dev/pts", "dev/shm", "etc", "proc", "sys"]) {
    await mkdir(join(root, directory), { recursive: true, mode: 0o755 });
  }
  // Programs tell by this file that they are in a container.
  for (const file of [".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf"]) {
    await writeFile(join(root, file), "", { flag: "a", mode: file === ".dockerenv" ? 0o755 : 0o644 });
  }
  await symlink("/proc/mounts", join(root, "etc/mtab")).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
