/**
 * Content hashes of files, kept by what the kernel says of them, so that an unchanged file is not read again. Size and
 * time alone are not enough: both can be put back; the change time cannot.
 */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { EngineError } from "../../errors.ts";
import { decodeName, encodeName } from "../../native/names.ts";
import { writeDurably } from "../../store/records.ts";
import type { Scan, ScanEntry } from "./scan.ts";

/** A file changed this shortly before it was looked at may change again within one tick of the file system's clock. */
const RACY = 20; // milliseconds
/** Files up to this size are read in one go. */
const WHOLE = 1 << 20;
const PARALLEL = 8;
const FORMAT = "slipway-hashes 3\n";

interface Known {
  readonly size: number;
  readonly device: number;
  readonly inode: number;
  readonly mtime: number;
  readonly ctime: number;
  readonly mode: number;
  readonly hash: string;
}

/** What hashing found out. */
export interface Hashed {
  readonly byPath: ReadonlyMap<string, string>;
  /** False where a file was so fresh that it may change again without looking different. */
  readonly settled: boolean;
}

export class Hashes {
  readonly #file: string | undefined;
  #known: Map<string, Known>; // by path
  #changed = false;

  private constructor(file: string | undefined, known: Map<string, Known>) {
    this.#file = file;
    this.#known = known;
  }

  /** @param file where they are kept, if at all; one that is absent or broken is an empty one */
  static async open(file: string | undefined): Promise<Hashes> {
    if (file === undefined) return new Hashes(file, new Map());
    const text = await readFile(file).then(decodeName, () => "");
    return new Hashes(file, text.startsWith(FORMAT) ? parseKnown(text.slice(FORMAT.length)) : new Map());
  }

  /**
   * The sha256 of every regular file among the entries of a scan.
   *
   * @throws {EngineError} conflict if a file changed or went away since the scan
   */
  async of(scan: Scan, wanted: readonly ScanEntry[]): Promise<Hashed> {
    const hashes = new Map<string, string>();
    const missing: ScanEntry[] = [];
    let settled = true;
    for (const entry of wanted) {
      if (entry.type !== "file") continue;
      const known = this.#known.get(entry.path);
      if (known !== undefined && isSame(known, entry)) hashes.set(entry.path, known.hash);
      else missing.push(entry);
    }
    let next = 0;
    const work = async (): Promise<void> => {
      for (let entry = missing[next++]; entry !== undefined; entry = missing[next++]) {
        const hash = await hashFile(entry);
        hashes.set(entry.path, hash);
        if (isRacy(entry, scan.started)) {
          settled = false;
          continue;
        }
        const { size, device, inode, mtime, ctime, mode } = entry;
        this.#known.set(entry.path, { size, device, inode, mtime, ctime, mode, hash });
        this.#changed = true;
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return { byPath: hashes, settled };
  }

  /** Writes them down where they changed; those of files that are gone are forgotten. */
  async save(scan: Scan): Promise<void> {
    if (!this.#changed || this.#file === undefined) return;
    this.#changed = false;
    const live = new Map<string, Known>();
    for (const { path } of scan.entries) {
      const known = this.#known.get(path);
      if (known !== undefined) live.set(path, known);
    }
    this.#known = live;
    await writeDurably(this.#file, encodeName(FORMAT + formatKnown(live)));
  }
}

function formatKnown(known: ReadonlyMap<string, Known>): string {
  const lines: string[] = [];
  for (const [path, { size, device, inode, mtime, ctime, mode, hash }] of known) {
    lines.push(`${size} ${device} ${inode} ${mtime} ${ctime} ${mode} ${hash} ${path}\0`);
  }
  return lines.join("");
}

function parseKnown(text: string): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const line of text.split("\0")) {
    const match = /^(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) ([0-9a-f]{64}) ([\s\S]+)$/.exec(line);
    if (match === null) continue;
    const [size, device, inode, mtime, ctime, mode] = match.slice(1, 7).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    known.set(match[8]!, { size, device, inode, mtime, ctime, mode, hash: match[7]! });
  }
  return known;
}

function isSame(known: Known, entry: ScanEntry): boolean {
  return (
    known.inode === entry.inode &&
    known.ctime === entry.ctime &&
    known.mtime === entry.mtime &&
    known.size === entry.size &&
    known.mode === entry.mode &&
    known.device === entry.device
  );
}

function isRacy({ mtime, ctime }: ScanEntry, started: number): boolean {
  return started - ctime < RACY || started - mtime < RACY;
}

async function hashFile(entry: ScanEntry): Promise<string> {
  // Never through a link, and never waiting on a pipe that took the file's place.
  const file = await open(entry.full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause) => {
      throw changed(entry, cause);
    },
  );
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.ino !== entry.inode || stats.dev !== entry.device) throw changed(entry);
    const hash = createHash("sha256");
    if (stats.size <= WHOLE) hash.update(await file.readFile());
    else await pipeline(createReadStream("", { fd: file, autoClose: false, highWaterMark: 1 << 20 }), hash);
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

function changed({ path }: ScanEntry, cause?: unknown): EngineError {
  return new EngineError("conflict", `${path} changed while the context was read`, { cause });
}
