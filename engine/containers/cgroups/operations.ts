import { join } from "node:path";
import type { Op } from "../../native/protocol.ts";
import type { DeviceRule } from "../devices.ts";
import { type Cgroups, controllerMount } from "./detect.ts";
import { deviceProgram } from "./device-filter.ts";
import type { LimitWrite } from "./limits.ts";

/** A container's place in the cgroup tree, with what is written there. */
export interface CgroupSpec {
  readonly tree: Cgroups;
  /** Relative to the root of the tree: `slipway/<id>`. */
  readonly path: string;
  readonly limits: readonly LimitWrite[];
  /** In order; undefined leaves all devices open (privileged). */
  readonly devices: readonly DeviceRule[] | undefined;
}

/** Makes the container's cgroups and sets their limits; to go before `clone`. */
export function cgroupOps(spec: CgroupSpec): readonly Op[] {
  const directories = cgroupDirectories(spec.tree, spec.path);
  const ops: Op[] = directories.map((path) => ({ op: "cgroup", path }));
  for (const { controller, file, value, optional } of spec.limits) {
    const mount = controllerMount(spec.tree, controller);
    // A limit that the machine cannot set is reported when the container is created.
    if (mount !== undefined) ops.push({ op: "write", path: join(mount, spec.path, file), value, optional });
  }
  ops.push(...deviceOps(spec));
  return ops;
}

/** The container's directory in each hierarchy. */
export function cgroupDirectories(tree: Cgroups, path: string): readonly string[] {
  const mounts = tree.version === 2 ? [tree.mount] : tree.hierarchies.map((each) => each.mount);
  return mounts.map((mount) => join(mount, path));
}

function deviceOps(spec: CgroupSpec): readonly Op[] {
  if (spec.devices === undefined) return [];
  if (spec.tree.version === 2) {
    if (spec.tree.delegated) return [];
    return [
      { op: "deviceFilter", path: join(spec.tree.mount, spec.path), program: deviceProgram(spec.devices) },
    ];
  }
  const mount = controllerMount(spec.tree, "devices");
  if (mount === undefined) return [];
  const write = (file: string, value: string): Op => ({
    op: "write",
    path: join(mount, spec.path, file),
    value,
    optional: false,
  });
  return [
    write("devices.deny", "a"),
    ...spec.devices.map((rule) => write(rule.allow ? "devices.allow" : "devices.deny", ruleText(rule))),
  ];
}

/** As the v1 files read it: `c 1:3 rwm`, with `*` for any number. */
export function ruleText(rule: DeviceRule): string {
  const number = (value: number | undefined): string => (value === undefined ? "*" : String(value));
  return `${rule.type} ${number(rule.major)}:${number(rule.minor)} ${rule.access}`;
}
