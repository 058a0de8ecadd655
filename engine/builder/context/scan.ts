/** The walk over a build context: a worker looks at everything, .dockerignore is applied to what it saw. */
import { setImmediate } from "node:timers/promises";
import { decodeName, encodeName } from "../../native/names.ts";
import type { FileType } from "../../native/trees.ts";
import type { Skipped, Workers } from "../../native/workers.ts";
import type { IgnoreMatcher, Walked } from "../ignore.ts";

export interface ScanEntry {
  readonly path: string; // relative, "" for the root
  readonly full: string | Buffer; // how it is opened; bytes where the name is not UTF-8
  readonly type: FileType;
  readonly mode: number; // permission bits
  readonly size: number; // this and the next four are 0 for directories
  readonly device: number;
  readonly inode: number;
  /** Milliseconds since the epoch, to about 0.2 µs: big integers would be exact, and cost more than the walk itself. */
  readonly mtime: number;
  readonly ctime: number;
  readonly link: string;
}

export interface Scan {
  readonly root: string;
  /** Sorted by path, component by component; a directory stands in front of what is in it. */
  readonly entries: readonly ScanEntry[];
  /** What .dockerignore hides: the topmost path of each hidden part. */
  readonly hidden: readonly string[];
  /** When the walk began, milliseconds since the epoch. */
  readonly started: number;
}

/** What a walk saw, in the bytes of native/scan.h. */
export interface Sight {
  readonly bytes: Buffer;
  readonly started: number;
}

/** @param root absolute; it is followed if it is a link */
export async function look(
  workers: Pick<Workers, "scan">,
  root: string,
  skipped: Skipped = { paths: [], names: [] },
): Promise<Sight> {
  const started = Date.now();
  return { bytes: await workers.scan({ kind: "dir", path: root }, skipped), started };
}

/** Entries that are read in one go, about 1 ms, before other work of the daemon has its turn. */
const TURN = 1000;
/** Before path and link: u16 path | u16 link | u16 mode | u64 size | device | inode | mtime | ctime. */
const HEAD = 46;

/** Reads what a walk saw. */
export async function show(
  root: string,
  { bytes, started }: Sight,
  ignore: IgnoreMatcher | undefined,
): Promise<Scan> {
  const text = bytes.toString("latin1");
  const entries: ScanEntry[] = [];
  const hidden: string[] = [];
  /** Directories that a pattern hides, and that were looked into for what another shows again. */
  const veiled = new Set<string>();
  const above: Above[] = [];
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const from = at + HEAD;
    const to = from + bytes.readUInt16LE(at);
    const end = to + bytes.readUInt16LE(at + 2);
    const entry = entryAt(bytes, text, at, from, to, end, root);
    at = end;
    if (++count % TURN === 0) await setImmediate();
    const { path, type } = entry;
    while (above.length > 0 && !path.startsWith(above.at(-1)!.prefix)) above.pop();
    const parent = above.at(-1);
    if (parent?.closed) continue;
    const walked = path === "" ? undefined : ignore?.walked(path, parent?.walked);
    const isHidden = walked?.hidden === true;
    const closed = isHidden && (type !== "dir" || ignore?.mayShowBelow(path) !== true);
    if (type === "dir" && path !== "") above.push({ prefix: `${path}/`, walked, closed });
    if (closed) {
      hidden.push(path);
      continue;
    }
    entries.push(entry);
    if (isHidden) veiled.add(path);
  }
  // The worker sorts by bytes, which is another order than that of strings beyond the first 65,536 characters.
  entries.sort((a, b) => compare(a.path, b.path));
  return { root, entries: withoutEmptyHidden(entries, veiled, hidden), hidden, started };
}

interface Above {
  readonly prefix: string;
  readonly walked: Walked | undefined;
  /** Nothing below it is shown. */
  readonly closed: boolean;
}

function entryAt(
  bytes: Buffer,
  text: string,
  at: number,
  from: number,
  to: number,
  end: number,
  root: string,
): ScanEntry {
  const mode = bytes.readUInt16LE(at + 4);
  const path = nameAt(bytes, text, from, to);
  const full = `${root}/${path}`;
  return {
    path,
    full: path.isWellFormed() ? full : encodeName(full),
    type: TYPES.get(mode & 0o170000) ?? "block",
    mode: mode & 0o7777,
    size: numberAt(bytes, at + 6),
    device: numberAt(bytes, at + 14),
    inode: numberAt(bytes, at + 22),
    mtime: numberAt(bytes, at + 30) / 1e6,
    ctime: numberAt(bytes, at + 38) / 1e6,
    link: to === end ? "" : decodeName(bytes, to, end),
  };
}

const TYPES: ReadonlyMap<number, FileType> = new Map([
  [0o100000, "file"],
  [0o040000, "dir"],
  [0o120000, "symlink"],
  [0o010000, "fifo"],
  [0o140000, "socket"],
  [0o020000, "char"],
  [0o060000, "block"],
]);

/** A 64-bit number as near as a number comes. */
function numberAt(bytes: Buffer, at: number): number {
  return bytes.readInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at);
}

const BEYOND_ASCII = /[\x80-\xff]/;

/** Most names are found in `text`, which is all bytes as characters: faster than to decode each. */
function nameAt(bytes: Buffer, text: string, from: number, to: number): string {
  const latin = text.slice(from, to);
  return BEYOND_ASCII.test(latin) ? decodeName(bytes, from, to) : latin;
}

/** A hidden directory is there only as the way to something that is shown. */
function withoutEmptyHidden(
  entries: readonly ScanEntry[],
  veiled: ReadonlySet<string>,
  hidden: string[],
): readonly ScanEntry[] {
  if (veiled.size === 0) return entries;
  const needed = new Set<string>();
  for (const { path } of entries) {
    if (veiled.has(path)) continue;
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
      needed.add(path.slice(0, at));
  }
  return entries.filter(({ path }) => {
    if (!veiled.has(path) || needed.has(path)) return true;
    hidden.push(path);
    return false;
  });
}

/** By component, so that `a/b` stands between `a` and `a.txt`. */
export function compare(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x === y) continue;
    if (x === 47) return -1;
    if (y === 47) return 1;
    return x - y;
  }
  return a.length - b.length;
}
