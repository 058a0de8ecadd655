import { EngineError } from "../../errors.ts";
import type { Container } from "../container.ts";
import { nowNs, parseTime } from "../time.ts";
import type { Tools } from "../tools.ts";
import { type LogFiles, NumberedFiles, type Placed, ShiftedFiles } from "./files.ts";
import { binaryEntries, jsonLines, type LogEntry } from "./form.ts";
import { logPath, logSettings } from "./settings.ts";

export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Go on with what comes, until the container stops. */
  readonly follow: boolean;
  /** The newest lines only; undefined for all. */
  readonly tail: number | undefined;
  /** Nanoseconds since 1970; 0 is no limit. */
  readonly since: bigint;
  readonly until: bigint;
}

/** @throws {EngineError} invalid for a container whose log driver keeps nothing */
export function refuseUnlogged(container: Container): void {
  if (container.record.hostConfig.LogConfig?.Type === "none") {
    throw new EngineError("invalid", "configured logging driver does not support reading");
  }
}

/** A container's log, in pieces. */
export async function* readLogs(
  tools: Tools,
  container: Container,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly LogEntry[]> {
  const files = filesOf(tools, container);
  if (files === undefined) return;
  const wanted = filter(options);
  // Told of growth before the first line is read: what is written in between is seen by the next look.
  const growth = options.follow ? await followGrowth(container, options.until, signal) : undefined;
  let current: Placed | undefined;
  try {
    for await (const [placed, entries] of replay(files, options.tail)) {
      current = placed;
      const chosen = entries.filter(wanted);
      if (chosen.length > 0) yield chosen;
    }
    if (growth === undefined) return;
    for (let open = true; open; ) {
      open = await growth.next();
      if (signal.aborted) return;
      for (;;) {
        current ??= await files.newest();
        if (current === undefined) break;
        for await (const entries of current.file.entries()) {
          const chosen = entries.filter(wanted);
          if (chosen.length > 0) yield chosen;
        }
        const newer = await files.after(current);
        if (newer === undefined) break;
        // It may have grown after the last look, before it was full.
        for await (const entries of current.file.entries()) {
          const chosen = entries.filter(wanted);
          if (chosen.length > 0) yield chosen;
        }
        await current.file.close();
        current = newer;
      }
    }
  } finally {
    growth?.stop();
    await current?.file.close();
  }
}

function filesOf(tools: Tools, { record }: Container): LogFiles | undefined {
  const settings = logSettings(record.hostConfig);
  if (settings === undefined) return undefined;
  const path = logPath(tools.paths, record);
  const form = settings.driver === "local" ? binaryEntries : jsonLines;
  return settings.compress ? new NumberedFiles(path, form) : new ShiftedFiles(path, form);
}

/** What is there, oldest first. The newest file stays open for who goes on; the others are closed. */
async function* replay(
  files: LogFiles,
  tail: number | undefined,
): AsyncGenerator<readonly [Placed, readonly LogEntry[]]> {
  const all = await files.openAll();
  let first = all.length - 1;
  if (tail !== undefined) {
    let missing = tail;
    for (const [index, { file }] of all.entries()) {
      missing = await file.seekTail(missing);
      first = index;
      if (missing === 0) break;
    }
  }
  for (const [index, { file }] of all.entries()) if (index > first) await file.close();
  for (let index = first; index >= 0; index--) {
    const placed = all[index];
    if (placed === undefined) continue;
    if (index === 0) yield [placed, []];
    for await (const entries of placed.file.entries()) yield [placed, entries];
    if (index > 0) await placed.file.close();
  }
}

interface Growth {
  /** Resolves when there may be more to read; false when nothing will come after it. */
  next(): Promise<boolean>;
  stop(): void;
}

/** @param until nanoseconds since 1970; at this moment nothing more is wanted, whether something comes or not */
async function followGrowth(
  container: Container,
  until: bigint,
  signal: AbortSignal,
): Promise<Growth | undefined> {
  const { live } = container;
  const left = until === 0n ? undefined : Number((until - nowNs()) / 1_000_000n);
  if (live === undefined || (left !== undefined && left <= 0)) return undefined;
  let waiting = Promise.withResolvers<void>();
  let ended = false;
  const wake = (): void => waiting.resolve();
  // It may have ended in this moment; then all that it wrote is in the file.
  const follow = await live.monitor.follow(wake).catch(() => undefined);
  if (follow === undefined) return undefined;
  const end = (): void => {
    ended = true;
    wake();
  };
  void follow.ended.then(end);
  signal.addEventListener("abort", end);
  const timer = left === undefined ? undefined : setTimeout(end, Math.min(left, LONGEST_TIMER));
  return {
    async next() {
      await waiting.promise;
      waiting = Promise.withResolvers();
      return !ended;
    },
    stop() {
      signal.removeEventListener("abort", end);
      clearTimeout(timer);
      follow.stop();
    },
  };
}

/** Milliseconds; Node's timers count in 31 bits. */
const LONGEST_TIMER = 2 ** 31 - 1;

function filter(options: LogOptions): (entry: LogEntry) => boolean {
  const { since, until, stdout, stderr } = options;
  return (entry) => {
    if (!(entry.stream === "stdout" ? stdout : stderr)) return false;
    if (since === 0n && until === 0n) return true;
    const time = parseTime(entry.time);
    return (since === 0n || time >= since) && (until === 0n || time <= until);
  };
}
