/** The walk over a build context: one lstat an entry, directories that are ignored are not looked into. */
import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { FileType } from "../../native/trees.ts";
import type { IgnoreMatcher } from "../ignore.ts";

export interface ScanEntry {
  readonly path: string; // relative, "" for the root
  readonly full: string | Buffer; // how it is opened
  readonly type: FileType;
  readonly mode: number; // permission bits
  readonly size: number;
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

/**
 * Entries that are looked at in one go, about 5 ms, before other work of the daemon has its turn. Asynchronous calls
 * would take four times as long: each goes through a queue and a thread.
 */
const TURN = 500;

/** @param root absolute; it is followed if it is a link */
export async function scan(root: string, ignore: IgnoreMatcher | undefined): Promise<Scan> {
  const started = Date.now();
  const entries: ScanEntry[] = [entryOf("", lstatSync(join(root, ".")), "", root)];
  const hidden: string[] = [];
  const open: Place[] = [{ path: "", full: root }];
  let turn = TURN;
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const { path, full } of list(directory)) {
      const isHidden = ignore?.ignores(path) === true;
      if (isHidden && !ignore.mayShowBelow(path)) {
        hidden.push(path);
        continue;
      }
      const stats = lstatSync(full, { throwIfNoEntry: false });
      if (stats === undefined) continue; // Removed while the walk went on.
      if (isHidden && !stats.isDirectory()) {
        hidden.push(path);
        continue;
      }
      const entry = entryOf(path, stats, stats.isSymbolicLink() ? readlinkSync(full) : "", full);
      entries.push(entry);
      if (entry.type === "dir") open.push({ path, full });
      if (--turn > 0) continue;
      turn = TURN;
      await setImmediate();
    }
  }
  entries.sort((a, b) => compare(a.path, b.path));
  return { root, entries: withoutEmptyHidden(entries, ignore, hidden), hidden, started };
}

interface Place {
  readonly path: string; // relative
  readonly full: string | Buffer; // bytes where a name on the way is not UTF-8
}

/** Names that are not UTF-8 are shown byte by byte; with a mark in front they are no other name's. */
function list({ path, full }: Place): Place[] {
  const below = (name: string): string => (path === "" ? name : `${path}/${name}`);
  if (typeof full === "string") {
    const names = readdirSync(full);
    if (!names.some((name) => name.includes(MARK))) {
      return names.map((name) => ({ path: below(name), full: `${full}/${name}` }));
    }
  }
  return readdirSync(full, { encoding: "buffer" }).map((bytes) => {
    const text = bytes.toString("utf8");
    const shown = Buffer.from(text).equals(bytes) ? text : MARK + bytes.toString("latin1");
    return { path: below(shown), full: Buffer.concat([Buffer.from(full), SLASH, bytes]) };
  });
}

/** What Node puts where bytes are no character. */
const MARK = "\ufffd";
const SLASH = Buffer.from("/");

/** A hidden directory is there only as the way to something that is shown. */
function withoutEmptyHidden(
  entries: readonly ScanEntry[],
  ignore: IgnoreMatcher | undefined,
  hidden: string[],
): readonly ScanEntry[] {
  if (ignore === undefined || !ignore.hasExclusions) return entries;
  const needed = new Set<string>();
  for (const { path, type } of entries) {
    if (type === "dir" && ignore.ignores(path)) continue;
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
      needed.add(path.slice(0, at));
  }
  return entries.filter(({ path, type }) => {
    if (path === "" || type !== "dir" || needed.has(path) || !ignore.ignores(path)) return true;
    hidden.push(path);
    return false;
  });
}

function entryOf(path: string, stats: Stats, link: string, full: string | Buffer): ScanEntry {
  return {
    path,
    full,
    type: typeOf(stats),
    mode: stats.mode & 0o7777,
    size: stats.size,
    device: stats.dev,
    inode: stats.ino,
    mtime: stats.mtimeMs,
    ctime: stats.ctimeMs,
    link,
  };
}

function typeOf(stats: Stats): FileType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "dir";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isSocket()) return "socket";
  return stats.isCharacterDevice() ? "char" : "block";
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
