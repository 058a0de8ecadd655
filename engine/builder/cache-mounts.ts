/** The directories of `RUN --mount=type=cache`: kept between builds, one for each id. */
import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "../errors.ts";
import type { Workers } from "../native/workers.ts";
import type { MountPlan } from "./plan/types.ts";
import type { StepTools } from "./steps/types.ts";

export interface OpenCache {
  readonly directory: string;
  release(): Promise<void>;
}

export interface KeptCache {
  readonly id: string; // as the Dockerfile names it, or its target
  readonly name: string; // of its directory
  readonly usedAt: number; // milliseconds since the epoch
  readonly bytes: number;
  readonly inUse: boolean;
}

/** Who uses a cache at this moment. */
interface Use {
  users: number;
  exclusive: boolean;
  readonly waiting: (() => void)[];
}

export class CacheMounts {
  readonly directory: string;
  readonly #uses = new Map<string, Use>();

  /** @param directory absolute, mode 0700 */
  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * Waits for its turn where sharing is `locked`; `private` gives another directory while the first is in use.
   *
   * A directory that is new is filled from the mount's `from`, and gets its mode and owner.
   */
  async acquire(plan: MountPlan, tools: Pick<StepTools, "tree" | "workers">): Promise<OpenCache> {
    const name = await this.#take(nameOf(plan.id), plan.sharing);
    try {
      const directory = await this.#make(name, plan.id);
      await this.#fill(directory, plan, tools);
      return { directory, release: async () => this.#release(name) };
    } catch (error) {
      this.#release(name);
      throw error;
    }
  }

  /** Every cache that is kept. */
  async list(workers: Pick<Workers, "measure">): Promise<KeptCache[]> {
    const kept: KeptCache[] = [];
    for (const named of await this.names()) {
      const { bytes } = await workers.measure({ kind: "dir", path: join(this.directory, named.name, "fs") });
      kept.push({ ...named, bytes, inUse: this.isUsed(named.name) });
    }
    return kept;
  }

  /** The same without their sizes. */
  async names(): Promise<{ readonly id: string; readonly name: string; readonly usedAt: number }[]> {
    const names: { id: string; name: string; usedAt: number }[] = [];
    for (const name of (await readdir(this.directory)).sort()) {
      const path = join(this.directory, name, "id");
      const id = await readFile(path, "utf8").catch(() => undefined);
      // It is written anew at each use.
      if (id !== undefined) names.push({ id, name, usedAt: (await stat(path)).mtimeMs });
    }
    return names;
  }

  /** A cache's files as an archive. @throws {EngineError} notFound */
  async export(id: string, workers: Pick<Workers, "tar">): Promise<Readable> {
    const directory = join(this.directory, nameOf(id), "fs");
    if (!(await isDirectory(directory))) throw new EngineError("notFound", `no such cache mount: ${id}`);
    return workers.tar({ kind: "dir", path: directory });
  }

  /** Puts an archive's files into a cache, beside what is there. @throws {EngineError} conflict while a step uses it */
  async import(id: string, archive: Readable, workers: Pick<Workers, "untar">): Promise<void> {
    const name = nameOf(id);
    if (this.isUsed(name)) throw new EngineError("conflict", `the cache mount ${id} is in use`);
    const use = await this.#take(name, "locked");
    try {
      const directory = await this.#make(use, id);
      if (!(await isDirectory(directory))) await mkdir(directory, { mode: 0o755 });
      await workers.untar(archive, { kind: "dir", path: directory }, { whiteouts: "plain" });
    } finally {
      this.#release(use);
    }
  }

  isUsed(name: string): boolean {
    return this.#uses.has(name);
  }

  async #take(base: string, sharing: MountPlan["sharing"]): Promise<string> {
    for (let copy = 0; ; copy++) {
      const name = copy === 0 ? base : `${base}.${copy}`;
      const use = this.#uses.get(name) ?? { users: 0, exclusive: false, waiting: [] };
      this.#uses.set(name, use);
      const isFree = use.users === 0 || (sharing === "shared" && !use.exclusive);
      if (!isFree && sharing === "private") continue;
      while (!(use.users === 0 || (sharing === "shared" && !use.exclusive))) {
        await new Promise<void>((resolve) => use.waiting.push(resolve));
      }
      use.users++;
      use.exclusive = sharing !== "shared";
      return name;
    }
  }

  #release(name: string): void {
    const use = this.#uses.get(name)!;
    use.users--;
    if (use.users > 0) return;
    use.exclusive = false;
    if (use.waiting.length === 0) this.#uses.delete(name);
    for (const resume of use.waiting.splice(0)) resume();
  }

  /** @returns the directory that is mounted, which may not be there yet */
  async #make(name: string, id: string): Promise<string> {
    const directory = join(this.directory, name);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(join(directory, "id"), id);
    return join(directory, "fs");
  }

  async #fill(directory: string, plan: MountPlan, tools: Pick<StepTools, "tree" | "workers">): Promise<void> {
    if (await isDirectory(directory)) return;
    if (plan.from.kind === "empty") await mkdir(directory, { mode: 0o755 });
    else {
      const tree = await tools.tree(plan.from);
      const items = [{ source: plan.source.slice(1), target: basename(directory), contents: true }];
      await tools.workers.copy(
        tree.root,
        { kind: "dir", path: dirname(directory) },
        { items, mtime: "keep" },
      );
    }
    await chmod(directory, plan.mode ?? 0o755);
    await chown(directory, plan.uid ?? 0, plan.gid ?? 0);
  }
}

/** An id may hold anything; a directory's name may not. */
function nameOf(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 32);
}

function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
