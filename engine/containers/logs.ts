import { EngineError } from "../errors.ts";
import type { Container } from "./container.ts";
import { type LogEntry, LogFile, openAll } from "./log-files.ts";
import { logPath } from "./spec.ts";
import { parseTime } from "./time.ts";
import type { Tools } from "./tools.ts";

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
  const wanted = filter(options);
  const path = logPath(tools, container.record);
  // Told of growth before the first line is read: what is written in between is seen by the next look.
  const growth = options.follow ? await followGrowth(container, signal) : undefined;
  let current: LogFile | undefined;
  try {
    for await (const [file, entries] of replay(path, options.tail)) {
      if (file !== current) current = file;
      const chosen = entries.filter(wanted);
      if (chosen.length > 0) yield chosen;
    }
    if (growth === undefined) return;
    for (let open = true; open; ) {
      open = await growth.next();
      if (signal.aborted) return;
      for (;;) {
        current ??= await LogFile.open(path);
        if (current === undefined) break;
        for await (const entries of current.entries()) {
          const chosen = entries.filter(wanted);
          if (chosen.length > 0) yield chosen;
        }
        const newer = await nextFile(path, current.inode);
        if (newer === undefined) break;
        await current.close();
        current = newer;
      }
      if (options.until > 0n && options.until < BigInt(Date.now()) * 1_000_000n) return;
    }
  } finally {
    growth?.stop();
    await current?.close();
  }
}

/** What is there, oldest first. The newest file stays open for who goes on; the others are closed. */
async function* replay(
  path: string,
  tail: number | undefined,
): AsyncGenerator<readonly [LogFile, readonly LogEntry[]]> {
  const files = await openAll(path);
  let first = files.length - 1;
  if (tail !== undefined) {
    let missing = tail;
    for (const [index, file] of files.entries()) {
      missing = await file.seekTail(missing);
      first = index;
      if (missing === 0) break;
    }
  }
  for (const [index, file] of files.entries()) if (index > first) await file.close();
  for (let index = first; index >= 0; index--) {
    const file = files[index];
    if (file === undefined) continue;
    if (index === 0) yield [file, []];
    for await (const entries of file.entries()) yield [file, entries];
    if (index > 0) await file.close();
  }
}

/** The file that was begun after the one of this inode, which rotation has renamed; undefined if it is the newest. */
async function nextFile(path: string, inode: bigint): Promise<LogFile | undefined> {
  const files = await openAll(path);
  const at = files.findIndex((file) => file.inode === inode);
  // Rotated away altogether: what was between is gone, the oldest that is left is next.
  const next = at < 0 ? files.at(-1) : files[at - 1];
  for (const file of files) if (file !== next) await file.close();
  return next;
}

interface Growth {
  /** Resolves when there may be more to read; false when nothing will come after it. */
  next(): Promise<boolean>;
  stop(): void;
}

async function followGrowth(container: Container, signal: AbortSignal): Promise<Growth | undefined> {
  const { live } = container;
  if (live === undefined) return undefined;
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
  return {
    async next() {
      await waiting.promise;
      waiting = Promise.withResolvers();
      return !ended;
    },
    stop() {
      signal.removeEventListener("abort", end);
      follow.stop();
    },
  };
}

function filter(options: LogOptions): (entry: LogEntry) => boolean {
  const { since, until, stdout, stderr } = options;
  return (entry) => {
    if (!(entry.stream === "stdout" ? stdout : stderr)) return false;
    if (since === 0n && until === 0n) return true;
    const time = parseTime(entry.time);
    return (since === 0n || time >= since) && (until === 0n || time <= until);
  };
}
