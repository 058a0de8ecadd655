/** Collects what comes close together: one flush for a burst, one at a time. */
export class Batch<T> {
  readonly #flush: (items: readonly T[]) => Promise<void>;
  readonly #quietMs: number;
  #items: T[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  /** @param quietMs how long it must be quiet before a flush, in milliseconds */
  constructor(quietMs: number, flush: (items: readonly T[]) => Promise<void>) {
    this.#quietMs = quietMs;
    this.#flush = flush;
  }

  add(item: T): void {
    this.#items.push(item);
    this.#schedule();
  }

  /** Forgets what has not been flushed. */
  close(): void {
    clearTimeout(this.#timer);
    this.#items = [];
  }

  #schedule(): void {
    if (this.#running) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), this.#quietMs);
  }

  async #run(): Promise<void> {
    const items = this.#items;
    this.#items = [];
    this.#running = true;
    try {
      await this.#flush(items);
    } finally {
      this.#running = false;
      if (this.#items.length > 0) this.#schedule();
    }
  }
}
