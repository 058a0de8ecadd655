import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../errors.ts";
import type { Resources } from "../types.ts";
import { type Cgroups, controllerMount } from "./detect.ts";

/** @throws {EngineError} invalid, in Docker's words, for CPUs or memory nodes that the machine does not have */
export async function checkCpuset(cgroups: Cgroups, resources: Resources): Promise<void> {
  for (const [asked, file, what] of [
    [resources.CpusetCpus, "cpuset.cpus", "CPUs"],
    [resources.CpusetMems, "cpuset.mems", "memory nodes"],
  ] as const) {
    const mount = controllerMount(cgroups, "cpuset");
    if (!asked || mount === undefined) continue;
    const name = cgroups.version === 2 ? `${file}.effective` : file;
    const available = (await readFile(join(mount, name), "utf8")).trim();
    const there = new Set(numbers(available));
    if (numbers(asked).every((number) => there.has(number))) continue;
    throw new EngineError(
      "invalid",
      `Requested ${what} are not available - requested ${asked}, available: ${available}`,
    );
  }
}

/** `0-3,5`, whose numbers have four digits at most. */
function numbers(list: string): readonly number[] {
  return list.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  });
}
