import type { ContainerStats } from "dockerode";
import type { Context } from "../context.ts";
import type { ProjectSource } from "../model/types.ts";
import { findContainers } from "./containers.ts";

export interface Sample {
  readonly Name: string;
  readonly CPUPerc: string; // of one CPU
  readonly MemUsage: number; // bytes, without the page cache that can be given back
  readonly MemLimit: number; // bytes
  readonly NetIn: number; // bytes since it started
  readonly NetOut: number;
  readonly PIDs: number;
}

/** One sample of each running container of the services. */
export async function sample(
  source: ProjectSource,
  services: readonly string[],
  { engine }: Context,
): Promise<readonly Sample[]> {
  const { containers } = await findContainers(source, services, engine);
  const running = containers.filter(({ state }) => state === "running");
  return await Promise.all(
    running.map(async ({ id, name }) => {
      for await (const stats of engine.stats(id, { stream: false })) return read(name, stats);
      return { Name: name, CPUPerc: "--", MemUsage: 0, MemLimit: 0, NetIn: 0, NetOut: 0, PIDs: 0 };
    }),
  );
}

function read(name: string, stats: ContainerStats): Sample {
  const { cpu_stats: now, precpu_stats: before, memory_stats: memory } = stats;
  const used = (now.cpu_usage?.total_usage ?? 0) - (before.cpu_usage?.total_usage ?? 0);
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const share = passed > 0 ? (used / passed) * (now.online_cpus || 1) * 100 : 0;
  // cgroup v2 calls it inactive_file, v1 total_inactive_file.
  const details = (memory.stats ?? {}) as unknown as Readonly<Record<string, number>>;
  const cache = details["inactive_file"] ?? details["total_inactive_file"] ?? 0;
  const networks = Object.values(stats.networks ?? {});
  return {
    Name: name,
    CPUPerc: `${share.toFixed(2)}%`,
    MemUsage: Math.max(0, (memory.usage ?? 0) - cache),
    MemLimit: memory.limit ?? 0,
    NetIn: networks.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    NetOut: networks.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
    PIDs: stats.pids_stats?.current ?? 0,
  };
}
