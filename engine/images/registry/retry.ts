import { setTimeout as sleep } from "node:timers/promises";

export const TRIES = 5;
/** Milliseconds before the second try; doubled each time. */
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 10_000;

/** A failure that may pass. */
export class Transient extends Error {
  override readonly name = "Transient";
  /** Milliseconds that the other side asks us to wait. */
  readonly pause: number | undefined;

  constructor(message: string, pause?: number, options?: ErrorOptions) {
    super(message, options);
    this.pause = pause;
  }
}

const PASSING = new Set([
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "ERR_STREAM_PREMATURE_CLOSE",
  "HPE_INVALID_EOF_STATE",
]);

export function isTransient(error: unknown): boolean {
  if (error instanceof Transient) return true;
  const { code, message = "" } = (error ?? {}) as NodeJS.ErrnoException;
  return (
    (code !== undefined && PASSING.has(code)) ||
    message === "aborted" ||
    message === "terminated" ||
    / is silent$/.test(message)
  );
}

/** 408, 429 and 5xx, with the pause that Retry-After asks for, in seconds or as a date. */
export function transientStatus(
  status: number,
  retryAfter: string | undefined,
  what: string,
): Transient | undefined {
  if (status !== 408 && status !== 429 && (status < 500 || status === 501 || status === 505))
    return undefined;
  const seconds = Number(retryAfter ?? Number.NaN);
  const until = Number.isNaN(seconds) ? Date.parse(retryAfter ?? "") - Date.now() : seconds * 1000;
  return new Transient(`${what}: status ${status}`, Number.isNaN(until) ? undefined : Math.max(0, until));
}

export interface Attempts {
  readonly signal?: AbortSignal;
  /** Grows as long as tries bring something: then they do not count. */
  progress?(): number;
}

/** Tries until it works, fails for good, or has failed five times on end without bringing anything. */
export async function retry<R>(work: () => Promise<R>, { signal, progress }: Attempts = {}): Promise<R> {
  let tried = 0;
  for (let before = progress?.() ?? 0; ; ) {
    try {
      return await work();
    } catch (error) {
      const now = progress?.() ?? 0;
      tried = now > before ? 1 : tried + 1;
      before = now;
      if (tried >= TRIES || signal?.aborted || !isTransient(error)) throw error;
      await pauseAfter(tried, error instanceof Transient ? error.pause : undefined, signal);
    }
  }
}

/** Waits before the next try: as long as the other side asks, or longer each time. */
export async function pauseAfter(tried: number, asked?: number, signal?: AbortSignal): Promise<void> {
  const own = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tried - 1)) * (0.5 + Math.random());
  await sleep(Math.min(asked ?? own, 60_000), undefined, signal === undefined ? {} : { signal });
}
