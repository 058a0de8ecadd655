/** `events`: what a container uses, and that it had no memory left; a JSON object a line, as runc prints it. */
import { sampleGroup } from "../containers/stats.ts";
import type { Runtime } from "./commands.ts";

export interface EventsOptions {
  /** One sample, and no more. */
  readonly once: boolean;
  /** Milliseconds between samples. */
  readonly interval: number;
}

/** Prints until the container ends. @throws {EngineError} notFound */
export async function printEvents(runtime: Runtime, id: string, options: EventsOptions): Promise<void> {
  const print = (event: object): void => {
    process.stdout.write(`${JSON.stringify({ ...event, id })}\n`);
  };
  const stats = async (): Promise<void> => print({ type: "stats", data: await sample(runtime, id) });
  await stats();
  if (options.once) return;
  const timer = setInterval(() => void stats().catch(() => {}), options.interval); // It may have just ended.
  await runtime.watch(id, () => print({ type: "oom" })).finally(() => clearInterval(timer));
}

/** @see runc's types/events.go */
async function sample(runtime: Runtime, id: string): Promise<object> {
  const { host, path } = await runtime.group(id);
  const { cpu, memory, pids, blkio } = (await sampleGroup(host.cgroups, path)) as Counts;
  const { cpu_usage: used, throttling_data: throttled } = cpu;
  return {
    cpu: {
      usage: {
        total: used.total_usage,
        percpu: used.percpu_usage,
        kernel: used.usage_in_kernelmode,
        user: used.usage_in_usermode,
      },
      throttling: {
        periods: throttled.periods,
        throttledPeriods: throttled.throttled_periods,
        throttledTime: throttled.throttled_time,
      },
    },
    memory: {
      usage: {
        limit: memory.limit,
        usage: memory.usage,
        max: memory.max_usage ?? 0,
        failcnt: memory.failcnt ?? 0,
      },
      raw: memory.stats,
    },
    pids: { current: pids.current, limit: pids.limit },
    blkio: { ioServiceBytesRecursive: blkio.io_service_bytes_recursive ?? undefined },
  };
}

interface Counts {
  readonly cpu: {
    readonly cpu_usage: Readonly<Record<string, number | readonly number[]>>;
    readonly throttling_data: Readonly<Record<string, number>>;
  };
  readonly memory: Readonly<Record<string, unknown>>;
  readonly pids: Readonly<Record<string, number>>;
  readonly blkio: Readonly<Record<string, unknown>>;
}
