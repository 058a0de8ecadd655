import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import { type Cgroups, controllerMount } from "./cgroups/detect.ts";
import type { Container } from "./container.ts";
import { cgroupPath } from "./spec.ts";
import { emit, type Tools } from "./tools.ts";

/** @throws {EngineError} conflict if it does not run or is paused */
export async function pauseContainer(tools: Tools, container: Container): Promise<void> {
  const { status } = container.record.state;
  if (status === "paused") throw new EngineError("conflict", `Container ${container.id} is already paused`);
  if (status !== "running") throw new EngineError("conflict", `container ${container.id} is not running`);
  await freeze(tools, container, true).catch((cause: NodeJS.ErrnoException) => {
    // It ended in this moment, and its cgroup with it.
    if (cause.code !== "ENOENT") throw cause;
    throw new EngineError("conflict", `container ${container.id} is not running`, { cause });
  });
  await tools.registry.changeState(container, { status: "paused" });
  container.live?.health?.pause();
  emit(tools, container, "pause");
}

/** @throws {EngineError} system, as Docker has it, if it is not paused */
export async function unpauseContainer(tools: Tools, container: Container): Promise<void> {
  if (container.record.state.status !== "paused") {
    throw new EngineError("system", `Container ${container.id} is not paused`);
  }
  await thaw(tools, container);
  emit(tools, container, "unpause");
}

/** Lets a paused container go on. */
export async function thaw(tools: Tools, container: Container): Promise<void> {
  await freeze(tools, container, false);
  if (container.record.state.status === "paused")
    await tools.registry.changeState(container, { status: "running" });
  container.live?.health?.resume();
}

function freeze(tools: Tools, container: Container, frozen: boolean): Promise<void> {
  return freezeGroup(tools.host.cgroups, cgroupPath(tools.host, container.record), frozen);
}

export function hasFreezer(cgroups: Cgroups): boolean {
  return cgroups.version === 2 || controllerMount(cgroups, "freezer") !== undefined;
}

/**
 * @param path of the cgroup, relative to the root of the tree
 * @see freezer.state of the v1 freezer, cgroup.freeze of v2
 */
export async function freezeGroup(cgroups: Cgroups, path: string, frozen: boolean): Promise<void> {
  if (cgroups.version === 2) {
    await writeFile(join(cgroups.mount, path, "cgroup.freeze"), frozen ? "1" : "0");
    return;
  }
  const mount = controllerMount(cgroups, "freezer");
  if (mount === undefined) {
    const why = "no cgroup freezer: an engine without root needs cgroup v2 for it";
    throw new EngineError("system", `cannot pause or unpause: ${why}`);
  }
  await writeFile(join(mount, path, "freezer.state"), frozen ? "FROZEN" : "THAWED");
}
