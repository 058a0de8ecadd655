/** When an attached `up` is over, and with which status. */
export interface ExitRules {
  /** Stop all when one container exits, or when one fails. */
  readonly abortOn: "exit" | "failure" | undefined;
  /** The service whose exit status is ours; only its end ends all. */
  readonly exitCodeFrom: string | undefined;
  /** Nothing ends it by itself: a watch may replace what has ended. */
  readonly endless: boolean;
}

/** Which containers run, and what has become of the others. */
export class Exits {
  readonly #running: Set<string>; // ids
  readonly #rules: ExitRules;
  readonly #anyUp: () => Promise<boolean>;
  readonly #decision = Promise.withResolvers<number>();
  readonly #end = Promise.withResolvers<void>();

  /**
   * @param running ids
   * @param anyUp asked when the last one has ended: a restart policy may have begun it again already
   */
  constructor(running: readonly string[], rules: ExitRules, anyUp: () => Promise<boolean>) {
    this.#running = new Set(running);
    this.#rules = rules;
    this.#anyUp = anyUp;
    if (running.length === 0) void this.#onEmpty();
  }

  get anyRuns(): boolean {
    return this.#running.size > 0;
  }

  /** The status, as soon as it is clear that all is to end. */
  get decided(): Promise<number> {
    return this.#decision.promise;
  }

  /** When nothing runs any more. */
  get allEnded(): Promise<void> {
    return this.#end.promise;
  }

  started(id: string): void {
    this.#running.add(id);
  }

  ended(id: string, service: string, code: number): void {
    const { abortOn, exitCodeFrom } = this.#rules;
    this.#running.delete(id);
    if (exitCodeFrom !== undefined) {
      if (service === exitCodeFrom) this.#decision.resolve(code);
    } else if (abortOn === "exit" || (abortOn === "failure" && code !== 0)) {
      this.#decision.resolve(code);
    }
    if (this.#running.size === 0) void this.#onEmpty();
  }

  async #onEmpty(): Promise<void> {
    this.#end.resolve();
    if (this.#rules.endless || (await this.#anyUp())) return;
    if (this.#running.size === 0) this.#decision.resolve(0);
  }
}
