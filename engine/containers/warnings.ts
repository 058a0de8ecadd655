import type { Host } from "./host.ts";
import type { HostConfig, Resources } from "./types.ts";

/** What of a request is accepted and has no effect, or has one that few want; in Docker's words. */
export function warningsOf(host: Host, hostConfig: HostConfig): readonly string[] {
  const warnings = [...resourceWarnings(host, hostConfig)];
  if (hostConfig.OomKillDisable && !hostConfig.Memory) {
    warnings.push(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
  }
  if (hostConfig.NetworkMode === "host" && Object.keys(hostConfig.PortBindings ?? {}).length > 0) {
    warnings.push("Published ports are discarded when using host network mode");
  }
  return warnings;
}

/** Of limits alone, also where they are changed later. */
export function resourceWarnings(host: Host, resources: Resources): readonly string[] {
  const { cgroups } = host;
  const has = (controller: string): boolean =>
    cgroups.version === 2
      ? cgroups.controllers.includes(controller)
      : cgroups.hierarchies.some((each) => each.controllers.includes(controller));
  const lacking: readonly (readonly [applies: boolean, what: string])[] = [
    [
      Boolean(resources.Memory) && !has("memory"),
      "memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
    ],
    [
      Boolean(resources.PidsLimit) && !has("pids"),
      "PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
    ],
    [
      Boolean(resources.NanoCpus || resources.CpuShares) && !has("cpu"),
      "CPU limits or the cgroup is not mounted. Limitation discarded.",
    ],
    [
      Boolean(resources.BlkioWeight) && !host.blockWeights,
      "Block I/O weight or the cgroup is not mounted. Weight discarded.",
    ],
    [
      (resources.BlkioWeightDevice ?? []).length > 0 && !host.blockWeights,
      "Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
    ],
  ];
  return lacking.flatMap(([applies, what]) => (applies ? [`Your kernel does not support ${what}`] : []));
}
