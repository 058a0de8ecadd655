/** The directories of `RUN --mount=type=cache`: kept between builds, one for each id. */
import { createHash } from "node:crypto";
import { chmod, chown, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { MountPlan } from "./plan/types.ts";
import type { StepTools } from "./steps/types.ts";

export interface OpenCache {
  readonly directory: string;
  release(): Promise<void>;
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
    const base = createHash("sha256").update(plan.id).digest("hex").slice(0, 32);
    const name = await this.#take(base, plan.sharing);
    try {
      const directory = join(this.directory, name);
      await this.#fill(directory, plan, tools);
      return { directory: join(directory, "fs"), release: async () => this.#release(name) };
    } catch (error) {
      this.#release(name);
      throw error;
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

  async #fill(directory: string, plan: MountPlan, tools: Pick<StepTools, "tree" | "workers">): Promise<void> {
    const fs = join(directory, "fs");
    const exists = await readdir(fs).then(
      () => true,
      () => false,
    );
    if (exists) return;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (plan.from.kind === "empty") await mkdir(fs, { mode: 0o755 });
    else {
      const tree = await tools.tree(plan.from);
      const items = [{ source: plan.source.slice(1), target: "fs", contents: true }];
      await tools.workers.copy(tree.root, { kind: "dir", path: directory }, { items, mtime: "keep" });
    }
    await chmod(fs, plan.mode ?? 0o755);
    await chown(fs, plan.uid ?? 0, plan.gid ?? 0);
  }
}
