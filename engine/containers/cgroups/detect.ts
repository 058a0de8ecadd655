import { access, constants, readFile } from "node:fs/promises";
import { settle } from "./delegate.ts";

/** The cgroup tree of the machine. Paths are mount points in the engine's mount namespace. */
export type Cgroups =
  | { readonly version: 1; readonly hierarchies: readonly Hierarchy[] }
  | {
      readonly version: 2;
      readonly mount: string;
      readonly controllers: readonly string[];
      /** An ordinary user's, who may not load device filters: what a device node needs of rights protects it. */
      readonly delegated?: boolean;
    };

/** One v1 hierarchy. `options` mounts it again: `cpu,cpuacct`, or `name=systemd` for one without controllers. */
export interface Hierarchy {
  readonly mount: string;
  readonly controllers: readonly string[];
  readonly options: string;
}

/**
 * What the machine has, from the engine's own mounts; a hybrid machine counts as v1, its v2 tree has no controllers.
 * A rootless engine has what was delegated to it: nothing on v1, which is a tree of no hierarchies.
 */
export async function detectCgroups(): Promise<Cgroups> {
  const mounts = parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
  const v1 = mounts.filter((mount) => mount.type === "cgroup");
  if (v1.length > 0) {
    const own = await Promise.all(v1.map(async (mount) => ((await writable(mount.target)) ? [mount] : [])));
    return { version: 1, hierarchies: own.flat().map(hierarchy) };
  }
  const v2 = mounts.find((mount) => mount.type === "cgroup2");
  const root = v2?.target ?? "/sys/fs/cgroup";
  const mount = await delegated(root);
  if (mount === undefined) return { version: 1, hierarchies: [] };
  const controllers = await readFile(`${mount}/cgroup.controllers`, "utf8").catch(() => "");
  return {
    version: 2,
    mount,
    controllers: controllers.trim().split(/\s+/),
    ...(mount === root ? {} : { delegated: true }),
  };
}

function writable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** The highest cgroup that the engine may make others in: the root of the tree, or what its user was given. */
async function delegated(mount: string): Promise<string | undefined> {
  if (await writable(mount)) return mount;
  const own = /^0::(.*)$/m.exec(await readFile("/proc/self/cgroup", "utf8").catch(() => ""))?.[1] ?? "/";
  return (await writable(mount + own)) ? settle(mount + own) : undefined;
}

/** The directory of a controller's hierarchy, or undefined if the machine has none. */
export function controllerMount(cgroups: Cgroups, controller: string): string | undefined {
  if (cgroups.version === 2) return cgroups.controllers.includes(controller) ? cgroups.mount : undefined;
  return cgroups.hierarchies.find((each) => each.controllers.includes(controller))?.mount;
}

interface Mount {
  readonly target: string;
  readonly type: string;
  readonly options: string;
}

/** @see proc_pid_mountinfo(5); a space in a path is written `\040` */
function parseMountInfo(text: string): readonly Mount[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [own = "", shared = ""] = line.split(" - ");
      const [type = "", , options = ""] = shared.split(" ");
      const target = (own.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      );
      return { target, type, options };
    });
}

function hierarchy(mount: Mount): Hierarchy {
  const own = mount.options.split(",").filter((option) => !NOT_CONTROLLERS.test(option));
  return {
    mount: mount.target,
    controllers: own.filter((option) => !option.startsWith("name=")),
    options: own.join(","),
  };
}

const NOT_CONTROLLERS =
  /^(rw|ro|relatime|noatime|xattr|noprefix|clone_children|cpuset_v2_mode|favordynmods|release_agent=.*)$/;
