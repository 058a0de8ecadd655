import { AppError } from "../errors.ts";

/**
 * Ctrl-C and SIGTERM as two abort signals: the first asks to stop in order, the second insists. A third ends the
 * process at once, whatever it waits for.
 */
export class Interrupt {
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  #count = 0;
  #failure: unknown;

  get first(): AbortSignal {
    return this.#first.signal;
  }

  get second(): AbortSignal {
    return this.#second.signal;
  }

  /** Why something beside the main work failed, if it did. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Ends the work as the first Ctrl-C would, because something beside it has failed. */
  fail(error: unknown): void {
    if (this.#first.signal.aborted) return;
    this.#failure = error;
    this.#first.abort(error);
  }

  /** From here on the signals no longer end the process by themselves. */
  listen(): void {
    if (process.listeners("SIGINT").includes(this.#on)) return;
    process.on("SIGINT", this.#on);
    process.on("SIGTERM", this.#on);
  }

  readonly #on = (): void => {
    this.#count += 1;
    const reason = new AppError("INTERRUPTED", "interrupted");
    if (this.#count === 1) this.#first.abort(reason);
    else if (this.#count === 2) this.#second.abort(reason);
    else process.exit(130);
  };
}
