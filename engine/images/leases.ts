/** Layers and images that work in progress needs, so that a removal beside it does not take them. */
export interface Lease extends AsyncDisposable {
  /** diffIds and image ids. */
  hold(...digests: readonly string[]): void;
  release(): void;
}

/** Who else refers to layers or images: the builder's cache, the containers. Asked when something is to be removed. */
export type Roots = () => Iterable<string>;

/** All that must stay besides what images refer to. Leases end with the process, as the work they protect does. */
export class Leases {
  readonly #held = new Set<Set<string>>();
  readonly #roots = new Set<Roots>();

  take(): Lease {
    const mine = new Set<string>();
    this.#held.add(mine);
    const release = (): void => {
      this.#held.delete(mine);
    };
    return {
      hold: (...digests) => {
        for (const digest of digests) mine.add(digest);
      },
      release,
      [Symbol.asyncDispose]: async () => release(),
    };
  }

  addRoots(roots: Roots): void {
    this.#roots.add(roots);
  }

  holds(digest: string): boolean {
    for (const lease of this.#held) if (lease.has(digest)) return true;
    return false;
  }

  all(): Set<string> {
    const all = new Set<string>();
    for (const lease of this.#held) for (const digest of lease) all.add(digest);
    for (const roots of this.#roots) for (const digest of roots()) all.add(digest);
    return all;
  }
}
