import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.ts";
import { checkCpuset } from "./cgroups/cpuset.ts";
import { controllerMount } from "./cgroups/detect.ts";
import { limitWrites } from "./cgroups/limits.ts";
import { checkRestartPolicy } from "./conflicts.ts";
import type { Container } from "./container.ts";
import { throttleNumbers } from "./devices.ts";
import { completeHostConfig } from "./host-config.ts";
import { checkUpdateShape } from "./shape.ts";
import { cgroupPath } from "./spec.ts";
import { emit, type Tools } from "./tools.ts";
import type { HostConfig, Resources, RestartPolicy } from "./types.ts";
import { resourceWarnings } from "./warnings.ts";

/** The body of POST /containers/{id}/update: what is absent or zero stays as it is. */
export type UpdateRequest = Resources & { readonly RestartPolicy?: RestartPolicy };

/**
 * Changes the limits and the restart policy of a container, at once if it runs.
 *
 * @returns warnings
 * @throws {EngineError} invalid, in Docker's words, for values that contradict each other, those set before, or the
 * machine
 */
export async function updateContainer(
  tools: Tools,
  container: Container,
  request: UpdateRequest,
): Promise<readonly string[]> {
  checkUpdateShape(request);
  checkRestartPolicy(request.RestartPolicy);
  await checkCpuset(tools.host.cgroups, request);
  return tools.serial.run(container.id, async () => {
    const { hostConfig } = container.record;
    if (hostConfig.AutoRemove && request.RestartPolicy?.Name && request.RestartPolicy.Name !== "no") {
      throw new EngineError(
        "invalid",
        "Restart policy cannot be updated because AutoRemove is enabled for the container",
      );
    }
    refuseQuotaOfNano(container, request);
    const given = Object.fromEntries(
      Object.entries(request).filter(([, value]) => isGiven(value)),
    ) as HostConfig;
    const restart = request.RestartPolicy?.Name ? {} : { RestartPolicy: hostConfig.RestartPolicy };
    const updated = completeHostConfig({ ...hostConfig, ...given, ...restart } as HostConfig);
    if (container.live !== undefined) await write(tools, container, hostConfig, { ...hostConfig, ...given });
    await tools.registry.change(container, { hostConfig: updated });
    emit(tools, container, "update");
    return resourceWarnings(tools.host, request);
  });
}

function refuseQuotaOfNano({ id, record }: Container, { CpuQuota, CpuPeriod }: UpdateRequest): void {
  if (!record.hostConfig.NanoCpus) return;
  const what = CpuQuota ? "CPU Quota" : CpuPeriod ? "CPU Period" : undefined;
  if (what === undefined) return;
  const reason = `Conflicting options: ${what} cannot be updated as NanoCPUs has already been set`;
  throw new EngineError("invalid", `Cannot update container ${id}: ${reason}`);
}

function isGiven(value: unknown): boolean {
  if (value === null || value === undefined || value === 0 || value === "") return false;
  return !(Array.isArray(value) && value.length === 0);
}

async function write(tools: Tools, container: Container, before: Resources, after: Resources): Promise<void> {
  const { cgroups } = tools.host;
  const path = cgroupPath(tools.host, container.record);
  let writes = limitWrites(cgroups, after, await throttleNumbers(after));
  // Memory may never be above memory and swap together: who raises both begins with the latter.
  if ((after.Memory ?? 0) > (before.Memory ?? 0)) {
    const together = writes.filter(({ file }) => file === "memory.memsw.limit_in_bytes");
    writes = [...together, ...writes.filter((each) => !together.includes(each))];
  }
  for (const { controller, file, value, optional } of writes) {
    const mount = controllerMount(cgroups, controller);
    if (mount === undefined) continue;
    await writeFile(join(mount, path, file), value).catch((cause: Error) => {
      if (optional) return;
      throw new EngineError("system", `Cannot update container ${container.id}: ${file}: ${cause.message}`, {
        cause,
      });
    });
  }
}
