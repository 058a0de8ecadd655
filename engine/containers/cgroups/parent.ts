import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../errors.ts";
import type { Cgroups } from "./detect.ts";

const DELEGATED = ["cpu", "cpuset", "io", "memory", "pids"];

/**
 * Makes a cgroup that containers can be put into: below a v1 cpuset a group without CPUs takes no process, and in a
 * v2 tree a group's limits exist only where its parents delegate the controllers.
 *
 * @param parent relative to the tree's root, such as `slipway` or `a/b`
 */
export async function ensureParent(cgroups: Cgroups, parent: string): Promise<void> {
  if (cgroups.version === 1) {
    const cpuset = cgroups.hierarchies.find((each) => each.controllers.includes("cpuset"));
    if (cpuset !== undefined) await inheritCpuset(cpuset.mount, parent);
    return;
  }
  await mkdir(join(cgroups.mount, parent), { recursive: true });
  for (const directory of upTo(cgroups.mount, parent)) {
    for (const controller of DELEGATED.filter((name) => cgroups.controllers.includes(name))) {
      // One at a time: a single one that is refused would take the others along.
      await writeFile(join(directory, "cgroup.subtree_control"), `+${controller}`).catch(() => {});
    }
  }
}

/** @throws {EngineError} invalid, if the name leads out of the tree */
export function checkedParent(parent: string): string {
  const names = parent.split("/").filter((name) => name !== "");
  if (names.length === 0 || names.some((name) => name === "." || name === "..")) {
    throw new EngineError("invalid", `invalid CgroupParent: ${parent}`);
  }
  return names.join("/");
}

async function inheritCpuset(mount: string, parent: string): Promise<void> {
  await mkdir(join(mount, parent), { recursive: true });
  const directories = upTo(mount, parent);
  for (const [index, directory] of directories.entries()) {
    const above = directories[index - 1];
    if (above === undefined) continue;
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const own = (await readFile(join(directory, file), "utf8")).trim();
      if (own === "") await writeFile(join(directory, file), await readFile(join(above, file)));
    }
    // Groups made below from now on begin with these CPUs, where they would begin with none.
    await writeFile(join(directory, "cgroup.clone_children"), "1");
  }
}

/** The mount and each directory on the way down to the parent, which is the last. */
function upTo(mount: string, parent: string): readonly string[] {
  const names = parent.split("/");
  return [mount, ...names.map((_, index) => join(mount, ...names.slice(0, index + 1)))];
}
