import { readdir, readFile } from "node:fs/promises";
import { namesOfMask } from "./capabilities.ts";
import { type Cgroups, controllerMount, detectCgroups } from "./cgroups/detect.ts";
import type { Machine } from "./seccomp/profile.ts";

/** What the machine and the engine's own rights allow; read once, when the engine starts. */
export interface Host {
  readonly cgroups: Cgroups;
  /** Relative to the root of the tree; containers are made below it. */
  readonly cgroupParent: string;
  /** What the engine itself may have, and so pass on. */
  readonly capabilities: ReadonlySet<string>;
  readonly machine: Machine;
  /** The kernel shares block devices by weight: its scheduler bfq, or the older cfq, is there. */
  readonly blockWeights: boolean;
  /** Thermal-throttle directories of the CPUs, which tell what the neighbours do (GHSA-6fw5-f8r9-fgfm). */
  readonly sidechannelPaths: readonly string[];
}

/** @throws {RangeError} on a machine whose system call tables the engine does not have */
export async function inspectHost(cgroupParent: string): Promise<Host> {
  const status = await readFile("/proc/self/status", "utf8");
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  const cgroups = await detectCgroups();
  return {
    cgroups,
    cgroupParent,
    capabilities: namesOfMask(bounding),
    machine: machineName(),
    blockWeights: await hasBlockWeights(cgroups),
    sidechannelPaths: await throttlePaths(),
  };
}

/** The root of a v2 tree has no such file: there the answer is found when a weight is written. */
async function hasBlockWeights(cgroups: Cgroups): Promise<boolean> {
  if (cgroups.version === 2) return cgroups.controllers.includes("io");
  const mount = controllerMount(cgroups, "blkio");
  if (mount === undefined) return false;
  return (await readdir(mount)).some((name) => /^blkio(\.bfq)?\.weight$/.test(name));
}

function machineName(): Machine {
  if (process.arch === "x64") return "x86_64";
  if (process.arch === "arm64") return "aarch64";
  throw new RangeError(`containers are not supported on ${process.arch}`);
}

async function throttlePaths(): Promise<readonly string[]> {
  const cpus = "/sys/devices/system/cpu";
  const names = await readdir(cpus).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => /^cpu\d+$/.test(name))
      .map(async (name) => ((await readdir(`${cpus}/${name}`)).includes("thermal_throttle") ? [name] : [])),
  );
  return found.flat().map((name) => `${cpus}/${name}/thermal_throttle`);
}
