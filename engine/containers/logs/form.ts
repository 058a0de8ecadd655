/** How entries lie in a log file: Docker's lines of JSON, or the compact form of the `local` driver. */
import { formatTime } from "../time.ts";

export interface LogEntry {
  readonly stream: "stdout" | "stderr";
  /** RFC 3339 with up to nine digits. */
  readonly time: string;
  /** What was written, with its newline if it had one: a long line is in several entries. */
  readonly text: Buffer;
  /** Labels and variables that `--log-opt` chose. */
  readonly attrs?: Readonly<Record<string, string>>;
}

export interface LogForm {
  /** Bytes at the beginning of `chunk` that are whole entries; less than all where one is not whole yet. */
  whole(chunk: Buffer): number;
  /** @param chunk whole entries */
  parse(chunk: Buffer): readonly LogEntry[];
  /**
   * Where the last `count` entries of `chunk` begin.
   *
   * @param chunk the end of what was written before `position`, and more in front of it
   * @returns offset in `chunk`, and how many entries are there from it on; fewer than asked for if `chunk` has no more
   */
  tail(chunk: Buffer, count: number): { readonly offset: number; readonly found: number };
}

const NEWLINE = 0x0a;

export const jsonLines: LogForm = {
  whole: (chunk) => chunk.lastIndexOf(NEWLINE) + 1,
  parse(chunk) {
    return chunk
      .toString("utf8")
      .split("\n")
      .flatMap((line): readonly LogEntry[] => (line === "" ? [] : parseLine(line)));
  },
  tail(chunk, count) {
    let offset = chunk.length;
    let found = 0;
    while (found < count) {
      // The newline at the end of an entry is its own.
      const before = chunk.lastIndexOf(NEWLINE, offset - 2);
      if (offset < 2 || before < 0) break;
      offset = before + 1;
      found++;
    }
    return { offset, found };
  },
};

function parseLine(line: string): readonly LogEntry[] {
  try {
    const { log, stream, time, attrs } = JSON.parse(line) as Omit<LogEntry, "text"> & {
      readonly log: string;
    };
    return [{ stream, time, text: Buffer.from(log), ...(attrs === undefined ? {} : { attrs }) }];
  } catch {
    // A line that a full disk cut short; the ones after it are whole.
    return [];
  }
}

/** Of stream and time, between the two sizes. @see native/logform.h */
const HEAD = 9;
const SIZES = 8;

export const binaryEntries: LogForm = {
  whole(chunk) {
    let at = 0;
    for (let size = entryAt(chunk, at); size > 0; size = entryAt(chunk, at)) at += size;
    return at;
  },
  parse(chunk) {
    const entries: LogEntry[] = [];
    for (let at = 0, size = entryAt(chunk, 0); size > 0; at += size, size = entryAt(chunk, at)) {
      const ns = chunk.readBigUInt64LE(at + 5);
      entries.push({
        stream: chunk[at + 4] === 2 ? "stderr" : "stdout",
        time: formatTime(ns),
        text: chunk.subarray(at + 4 + HEAD, at + size - 4),
      });
    }
    return entries;
  },
  tail(chunk, count) {
    let offset = chunk.length;
    let found = 0;
    while (found < count && offset >= SIZES + HEAD) {
      const size = chunk.readUInt32LE(offset - 4) + SIZES;
      if (size > offset) break;
      offset -= size;
      found++;
    }
    return { offset, found };
  },
};

/** Bytes of the entry that begins at `at`; 0 if it is not whole. */
function entryAt(chunk: Buffer, at: number): number {
  if (chunk.length < at + SIZES + HEAD) return 0;
  const size = chunk.readUInt32LE(at) + SIZES;
  return chunk.length >= at + size ? size : 0;
}
