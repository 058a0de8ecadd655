/**
 * What happened in the engine, told to whoever listens and kept for a while: `docker events --since` and Compose's
 * attached `up` read it. The newest 1024 events are kept, in memory only, as dockerd keeps 256.
 */
export type EventType = "builder" | "container" | "daemon" | "image" | "network" | "plugin" | "volume";

/** What a backend says when something happened. */
export interface Happening {
  readonly type: EventType;
  /** Docker's word, such as `start`, `die`, `health_status: healthy`, `exec_start: sh`. */
  readonly action: string;
  readonly actor: {
    readonly id: string;
    /** All labels of the object, then `image`, `name`, `exitCode`…; clients filter by the labels. */
    readonly attributes: Readonly<Record<string, string>>;
  };
}

export interface EngineEvent extends Happening {
  /** Nanoseconds since 1970; no two events have the same. */
  readonly timeNano: bigint;
}

export type EventListener = (event: EngineEvent) => void;

const KEPT = 1024;

export class Events {
  readonly #kept: EngineEvent[] = [];
  readonly #listeners = new Set<EventListener>();
  #last = 0n;

  emit(happening: Happening): void {
    const event = { ...happening, timeNano: this.#now() };
    this.#kept.push(event);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Calls `listener` for every later event. Returns the function that ends that. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The events that are still kept, oldest first. */
  history(): readonly EngineEvent[] {
    return [...this.#kept];
  }

  /** How many listen. */
  get listening(): number {
    return this.#listeners.size;
  }

  /** The clock has milliseconds; events of one millisecond are counted up, so that their order shows. */
  #now(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last;
  }
}
