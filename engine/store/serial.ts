/** Runs work of the same key one after the other, in the order asked; work of different keys at the same time. */
export class Serial {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Resolves or rejects as `work` does. A rejection does not hold up the work after it. */
  async run<R>(key: string, work: () => Promise<R>): Promise<R> {
    const before = this.#tails.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    const tail = mine.catch(() => {});
    this.#tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  busy(key: string): boolean {
    return this.#tails.has(key);
  }
}
