import type { ContainerStats } from "dockerode";
import type { EngineClient } from "../client/client.ts";
import type { Context } from "../context.ts";
import type { ProjectSource } from "../model/types.ts";
import { findContainers } from "./containers.ts";

export interface Sample {
  readonly ID: string;
  readonly Name: string;
  readonly CPUPerc: string; // of one CPU
  readonly MemUsage: number; // bytes, without the page cache that can be given back
  readonly MemLimit: number; // bytes
  readonly NetIn: number; // bytes since it started
  readonly NetOut: number;
  readonly BlockIn: number; // bytes read from disks since it started
  readonly BlockOut: number;
  readonly PIDs: number;
}

interface Sampled {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
}

/** One sample of each container of the services; without `all` only of those that run. */
export async function sample(
  source: ProjectSource,
  services: readonly string[],
  all: boolean,
  { engine }: Context,
): Promise<readonly Sample[]> {
  const { containers } = await findContainers(source, services, engine);
  const found = containers.map(({ id, name, state }) => ({ id, name, running: state === "running" }));
  return await sampleAll(all ? found : found.filter(({ running }) => running), engine);
}

export async function sampleAll(
  containers: readonly Sampled[],
  engine: EngineClient,
): Promise<readonly Sample[]> {
  return await Promise.all(
    containers.map(async ({ id, name, running }) => {
      if (running)
        for await (const stats of engine.stats(id, { stream: false })) return read(id, name, stats);
      const none = { MemUsage: 0, MemLimit: 0, NetIn: 0, NetOut: 0, BlockIn: 0, BlockOut: 0, PIDs: 0 };
      return { ID: id, Name: name, CPUPerc: "--", ...none };
    }),
  );
}

function read(id: string, name: string, stats: ContainerStats): Sample {
  const { cpu_stats: now, precpu_stats: before, memory_stats: memory } = stats;
  const used = (now.cpu_usage?.total_usage ?? 0) - (before.cpu_usage?.total_usage ?? 0);
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const share = passed > 0 ? (used / passed) * (now.online_cpus || 1) * 100 : 0;
  // cgroup v2 calls it inactive_file, v1 total_inactive_file.
  const details = (memory.stats ?? {}) as unknown as Readonly<Record<string, number>>;
  const cache = details["inactive_file"] ?? details["total_inactive_file"] ?? 0;
  const networks = Object.values(stats.networks ?? {});
  return {
    ID: id,
    Name: name,
    CPUPerc: `${share.toFixed(2)}%`,
    MemUsage: Math.max(0, (memory.usage ?? 0) - cache),
    MemLimit: memory.limit ?? 0,
    NetIn: networks.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    NetOut: networks.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
    BlockIn: blocks(stats, "read"),
    BlockOut: blocks(stats, "write"),
    PIDs: stats.pids_stats?.current ?? 0,
  };
}

function blocks({ blkio_stats: blocks }: ContainerStats, what: string): number {
  const rows = (blocks?.io_service_bytes_recursive ?? []) as readonly {
    readonly op: string;
    readonly value: number;
  }[];
  return rows.reduce((sum, { op, value }) => (op.toLowerCase() === what ? sum + value : sum), 0);
}
