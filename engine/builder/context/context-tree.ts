import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join, posix } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import { encodeName } from "../../native/names.ts";
import type { FileType, TreeRoot } from "../../native/trees.ts";
import { compileName, hasWildcard, matchName } from "../match.ts";
import type { Hashes } from "./hashes.ts";
import { compare, type Scan, type ScanEntry } from "./scan.ts";
import { type Content, type Found, leadsNowhere, type SourceTree } from "./tree.ts";

/** Characters that are hashed in one go. */
const MOST_TEXT = 1 << 16;
/** As many links as the kernel follows in one path. */
const MOST_LINKS = 40;

/** A scanned context: everything but content is answered from memory. */
export class ContextTree implements SourceTree {
  readonly root: TreeRoot;
  readonly #scan: Scan;
  readonly #hashes: Hashes;
  readonly #byPath: ReadonlyMap<string, ScanEntry>;
  /** By what was asked; only of files that cannot have changed without looking different. */
  readonly #contents: Map<string, Content>;

  constructor(scan: Scan, hashes: Hashes, before?: ContextTree) {
    this.root = { kind: "dir", path: scan.root };
    this.#scan = scan;
    this.#hashes = hashes;
    this.#byPath =
      before === undefined ? new Map(scan.entries.map((entry) => [entry.path, entry])) : before.#byPath;
    this.#contents = before === undefined ? new Map() : before.#contents;
  }

  /** The tree of a later walk that saw the same. */
  seenAgain(started: number): ContextTree {
    return new ContextTree({ ...this.#scan, started }, this.#hashes, this);
  }

  /** How much there is of it. */
  get size(): number {
    return this.#scan.entries.length;
  }

  get hidden(): readonly string[] {
    return this.#scan.hidden;
  }

  async find(path: string): Promise<Found | undefined> {
    const entry = this.#resolve(path);
    return entry && { path: entry.path, name: posix.basename(path), type: entry.type };
  }

  async glob(pattern: string): Promise<Found[]> {
    let found: string[] = ["/"];
    for (const part of pattern.split("/").filter((each) => each !== "")) {
      const next: string[] = [];
      for (const directory of found) next.push(...this.#step(directory, part));
      found = next;
    }
    return found.map((path) => {
      const entry = this.#resolve(path);
      if (entry === undefined) throw leadsNowhere(path);
      return { path: entry.path, name: posix.basename(path), type: entry.type };
    });
  }

  async below(directory: string): Promise<{ path: string; type: FileType }[]> {
    const prefix = directory === "" ? "" : `${directory}/`;
    const entries = this.#subtree(directory).filter(({ path }) => path !== directory);
    return entries.map(({ path, type }) => ({ path: path.slice(prefix.length), type }));
  }

  async content(found: Found, exclude: ReadonlySet<string>): Promise<Content> {
    const key = [found.path, ...[...exclude].sort()].join("\0");
    const known = this.#contents.get(key);
    if (known !== undefined) return known;
    const entries = this.#subtree(found.path).filter(
      ({ path, type }) => type !== "socket" && !isExcluded(path, exclude),
    );
    const { byPath, settled } = await this.#hashes.of(this.#scan, entries);
    const manifest = new Map<string, string>();
    const digest = createHash("sha256");
    const cut = found.path === "" ? 0 : found.path.length + 1;
    let text = "";
    for (const { path, type, mode, link } of entries) {
      const isTop = path === found.path;
      // A copied directory's own mode is not copied, only what is in it.
      const shownMode = (isTop && type === "dir") || type === "symlink" ? 0 : mode;
      const signature = `${type} ${shownMode} ${byPath.get(path) ?? link}`;
      const name = isTop ? "" : path.slice(cut);
      text += `${name}\0${signature}\0`;
      if (text.length > MOST_TEXT) {
        digest.update(encodeName(text));
        text = "";
      }
      if (!isTop) manifest.set(name, signature);
    }
    digest.update(encodeName(text));
    const content = { digest: digest.digest("hex"), manifest };
    if (settled) this.#contents.set(key, content);
    return content;
  }

  hiddenBelow(path: string): string[] {
    const prefix = path === "" ? "" : `${path}/`;
    return this.#scan.hidden.filter((each) => each.startsWith(prefix));
  }

  async read(path: string): Promise<Readable> {
    return createReadStream(join(this.#scan.root, path), { highWaterMark: 1 << 20 });
  }

  /** Writes down the hashes that were made. */
  async save(): Promise<void> {
    await this.#hashes.save(this.#scan);
  }

  #step(directory: string, part: string): string[] {
    if (!hasWildcard(part)) {
      const path = posix.join(directory, part.replace(/\\([\s\S])/g, "$1"));
      return this.#resolve(path) === undefined ? [] : [path];
    }
    const real = this.#resolve(directory);
    if (real === undefined || real.type !== "dir") return [];
    const pattern = compileName(part);
    return this.#children(real.path)
      .map((name) => posix.join(directory, name))
      .filter((path) => matchName(pattern, posix.basename(path)));
  }

  #children(directory: string): string[] {
    const prefix = directory === "" ? "" : `${directory}/`;
    const names: string[] = [];
    for (const { path } of this.#subtree(directory)) {
      if (path.length > prefix.length && !path.includes("/", prefix.length))
        names.push(path.slice(prefix.length));
    }
    return names.sort();
  }

  /** The entry and all in it: they lie together. */
  #subtree(path: string): readonly ScanEntry[] {
    const { entries } = this.#scan;
    if (path === "") return entries;
    const from = lowerBound(entries, path);
    let to = from;
    while (to < entries.length && (entries[to]!.path === path || entries[to]!.path.startsWith(`${path}/`)))
      to++;
    return entries.slice(from, to);
  }

  /** Follows every link, the last one too, and never leaves the root. */
  #resolve(path: string): ScanEntry | undefined {
    let rest = path.split("/").filter((part) => part !== "" && part !== ".");
    let at = "";
    for (let links = 0; rest.length > 0; ) {
      const part = rest.shift()!;
      if (part === "..") {
        at = at.includes("/") ? at.slice(0, at.lastIndexOf("/")) : "";
        continue;
      }
      const next = at === "" ? part : `${at}/${part}`;
      const entry = this.#byPath.get(next);
      if (entry === undefined) return undefined;
      if (entry.type !== "symlink") {
        if (rest.length > 0 && entry.type !== "dir") return undefined;
        at = next;
        continue;
      }
      if (++links > MOST_LINKS) throw new EngineError("invalid", `${path}: too many links`);
      if (entry.link.startsWith("/")) at = "";
      rest = [...entry.link.split("/").filter((each) => each !== "" && each !== "."), ...rest];
    }
    return this.#byPath.get(at);
  }
}

export function isExcluded(path: string, exclude: ReadonlySet<string>): boolean {
  if (exclude.size === 0) return false;
  for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1))
    if (exclude.has(path.slice(0, at))) return true;
  return false;
}

function lowerBound(entries: readonly ScanEntry[], path: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(entries[middle]!.path, path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
