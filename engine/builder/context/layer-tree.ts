import { createHash } from "node:crypto";
import { posix } from "node:path";
import { Readable } from "node:stream";
import type { FileType, TreeRoot } from "../../native/trees.ts";
import type { Workers } from "../../native/workers.ts";
import { compileName, hasWildcard, matchName } from "../match.ts";
import { type Content, type Found, leadsNowhere, type SourceTree } from "./tree.ts";

/** A stage's or an image's tree: every look is a worker's, which cannot leave the root. */
export class LayerTree implements SourceTree {
  readonly root: TreeRoot;
  readonly #workers: Workers;

  constructor(root: TreeRoot, workers: Workers) {
    this.root = root;
    this.#workers = workers;
  }

  async find(path: string): Promise<Found | undefined> {
    const stat = await this.#workers.stat(this.root, path, { follow: true });
    return stat && { path: relative(stat.path), name: posix.basename(path), type: stat.type };
  }

  async glob(pattern: string): Promise<Found[]> {
    let found = ["/"];
    for (const part of pattern.split("/").filter((each) => each !== "")) {
      const next: string[] = [];
      for (const directory of found) {
        if (!hasWildcard(part)) next.push(posix.join(directory, part.replace(/\\([\s\S])/g, "$1")));
        else for (const name of await this.#matching(directory, part)) next.push(posix.join(directory, name));
      }
      found = next;
    }
    // What a pattern named is there: if it cannot be found, it is a link to nothing.
    const isNamed = hasWildcard(posix.basename(pattern));
    const each = await Promise.all(
      found.map(async (path) => {
        const one = await this.find(path);
        if (one === undefined && isNamed) throw leadsNowhere(path);
        return one;
      }),
    );
    return each.filter((one) => one !== undefined);
  }

  async below(directory: string): Promise<{ path: string; type: FileType }[]> {
    const all: { path: string; type: FileType }[] = [];
    for await (const { path, type } of this.#workers.walk(this.root, directory))
      if (path !== "") all.push({ path, type });
    return all;
  }

  /** An archive without times holds exactly what a copy takes, owners and extended attributes included. */
  async content(found: Found, exclude: ReadonlySet<string>): Promise<Content> {
    const digest = createHash("sha256");
    // Without a name only what is in a directory is packed: of a file, nothing.
    const name = found.type === "dir" ? "" : "it";
    const tar = this.#workers.tar(this.root, { path: found.path, name, mtime: 0 });
    for await (const chunk of tar) digest.update(chunk as Buffer);
    // What is left out is named, not measured: leaving out less is then another digest too.
    digest.update([...exclude].sort().join("\0"));
    return { digest: digest.digest("hex") };
  }

  hiddenBelow(): string[] {
    return [];
  }

  async read(path: string): Promise<Readable> {
    return Readable.from([await this.#workers.read(this.root, path, MOST)]);
  }

  async #matching(directory: string, part: string): Promise<string[]> {
    const found = await this.find(directory);
    if (found?.type !== "dir") return [];
    const pattern = compileName(part);
    const names: string[] = [];
    for await (const { path } of this.#workers.walk(this.root, found.path)) {
      if (path !== "" && !path.includes("/") && matchName(pattern, path)) names.push(path);
    }
    return names.sort();
  }
}

const MOST = 1 << 30;

function relative(path: string): string {
  return path.replace(/^\/+/, "");
}
