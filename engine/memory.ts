import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collect = (options: {
  readonly type: "minor" | "major";
  readonly execution: "sync";
  readonly flavor?: "last-resort";
}) => void;

/** While there is work, buffers are looked at this often. */
const LOOK_MS = 50;
/** So many looks without a request and without many buffers: idle. 4 s. */
const QUIET_LOOKS = 80;
/** What buffers may hold before they are collected, in bytes. */
const MUCH = 16 * 1024 * 1024;

/**
 * Keeps the daemon small. V8 counts little for a buffer that holds 64 KiB outside of its heap, and so lets more than
 * 100 MB of them lie about while an image or a context streams through; and it collects only when more memory is asked
 * for, which an idle daemon never does. Here the young are collected when there are many, and all once it is idle.
 */
export class MemoryKeeper {
  readonly #collect: Collect;
  #timer: NodeJS.Timeout | undefined;
  #quiet = 0;

  constructor() {
    setFlagsFromString("--expose-gc");
    this.#collect = runInNewContext("gc") as Collect;
  }

  /** To be called when a request begins or ends. Without requests no timer runs. */
  readonly noteRequest = (): void => {
    this.#quiet = 0;
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  };

  #look(): void {
    if (getHeapStatistics().external_memory > MUCH) {
      this.#quiet = 0;
      this.#collect({ type: "minor", execution: "sync" });
    } else if (++this.#quiet >= QUIET_LOOKS) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#collect({ type: "major", execution: "sync", flavor: "last-resort" });
    }
  }
}
