/**
 * Content hashes of files, kept by what the kernel says of them, so that an unchanged file is not read again. Size and
 * time alone are not enough: both can be put back; the change time cannot.
 */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { EngineError } from "../../errors.ts";
import { writeDurably } from "../../store/records.ts";
import type { Scan, ScanEntry } from "./scan.ts";

/** A file changed this shortly before it was looked at may change again within one tick of the file system's clock. */
const RACY_NS = 20_000_000n;
/** Files up to this size are read in one go. */
const WHOLE = 1n << 20n;
const PARALLEL = 8;
/** Contexts whose hashes stay in memory. */
const MOST_OPEN = 16;
const FORMAT = "slipway-hashes 1";

/** The hashes of every context, each read from disk once. */
export class HashStore {
  readonly #directory: string;
  readonly #open = new Map<string, Promise<Hashes>>();

  /** @param directory in which they are kept */
  constructor(directory: string) {
    this.#directory = directory;
  }

  of(context: string): Promise<Hashes> {
    const name = createHash("sha256").update(context).digest("hex").slice(0, 32);
    const opened = this.#open.get(name) ?? Hashes.open(join(this.#directory, name));
    // The last ones used are kept in memory.
    this.#open.delete(name);
    this.#open.set(name, opened);
    if (this.#open.size > MOST_OPEN) this.#open.delete(this.#open.keys().next().value!);
    return opened;
  }
}

export class Hashes {
  readonly #file: string;
  #known: Map<string, string>;
  #changed = false;

  private constructor(file: string, known: Map<string, string>) {
    this.#file = file;
    this.#known = known;
  }

  /** @param file where they are kept; one that is absent or broken is an empty one */
  static async open(file: string): Promise<Hashes> {
    const known = new Map<string, string>();
    const lines = await readFile(file, "utf8").then(
      (text) => text.split("\n"),
      () => [],
    );
    if (lines[0] === FORMAT) {
      for (const line of lines.slice(1)) {
        const space = line.indexOf(" ");
        if (space > 0) known.set(line.slice(0, space), line.slice(space + 1));
      }
    }
    return new Hashes(file, known);
  }

  /**
   * The sha256 of every regular file of a scan that `wanted` names.
   *
   * @throws {EngineError} conflict if a file changed or went away since the scan
   */
  async of(scan: Scan, wanted: readonly ScanEntry[]): Promise<Map<string, string>> {
    const hashes = new Map<string, string>();
    const missing: ScanEntry[] = [];
    for (const entry of wanted) {
      if (entry.type !== "file") continue;
      const known = this.#known.get(keyOf(entry));
      if (known === undefined) missing.push(entry);
      else hashes.set(entry.path, known);
    }
    let next = 0;
    const work = async (): Promise<void> => {
      for (let entry = missing[next++]; entry !== undefined; entry = missing[next++]) {
        const hash = await hashFile(join(scan.root, entry.path), entry);
        hashes.set(entry.path, hash);
        if (isRacy(entry, scan.startedNs)) continue;
        this.#known.set(keyOf(entry), hash);
        this.#changed = true;
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return hashes;
  }

  /** Keeps only what belongs to these files, and writes it down where it changed. */
  async save(scan: Scan): Promise<void> {
    const live = new Map<string, string>();
    for (const entry of scan.entries) {
      const hash = entry.type === "file" ? this.#known.get(keyOf(entry)) : undefined;
      if (hash !== undefined) live.set(keyOf(entry), hash);
    }
    if (!this.#changed && live.size === this.#known.size) return;
    this.#known = live;
    this.#changed = false;
    const lines = [...live].map(([key, hash]) => `${key} ${hash}\n`);
    await writeDurably(this.#file, `${FORMAT}\n${lines.join("")}`);
  }
}

function keyOf({ device, inode, size, mtimeNs, ctimeNs, mode }: ScanEntry): string {
  return `${device}:${inode}:${size}:${mtimeNs}:${ctimeNs}:${mode}`;
}

function isRacy({ mtimeNs, ctimeNs }: ScanEntry, startedNs: bigint): boolean {
  return startedNs - ctimeNs < RACY_NS || startedNs - mtimeNs < RACY_NS;
}

async function hashFile(path: string, entry: ScanEntry): Promise<string> {
  // Never through a link, and never waiting on a pipe that took the file's place.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause) => {
      throw changed(entry, cause);
    },
  );
  try {
    const stats = await file.stat({ bigint: true });
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
