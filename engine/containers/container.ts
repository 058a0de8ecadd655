import type { Monitor } from "../native/monitor.ts";
import type { Attachment } from "../networks/types.ts";
import type { HealthProbes } from "./health.ts";
import type { ContainerRecord } from "./types.ts";

/** The user data bases of a container; empty where it has none. */
export interface UserFiles {
  readonly passwd: Uint8Array;
  readonly group: Uint8Array;
}

/** The part of a container that is there only while it has a process. */
export interface Live {
  readonly monitor: Monitor;
  readonly pid: number;
  /** By the steady clock, milliseconds. */
  readonly since: number;
  readonly network: Attachment | undefined;
  /** /etc/passwd and /etc/group as they were at the start; undefined after the engine was restarted. */
  readonly users: UserFiles | undefined;
  health: HealthProbes | undefined;
  /** Resolves when the exit has been recorded, told and cleaned up after. */
  ended: Promise<void>;
}

/** How a run of a container's program ended. */
export interface Ending {
  readonly exitCode: number;
  readonly error: string;
}

/** A container in memory: its record, its process if it has one, and who waits for what. */
export class Container {
  record: ContainerRecord;
  live: Live | undefined;
  /** The next start, when a restart policy waits out its delay. */
  restart: { readonly timer: NodeJS.Timeout; readonly delay: number } | undefined;
  /** Milliseconds before the next restart. */
  restartDelay = 0;
  /** Clients that attached before the program was there. */
  readonly pending = new Set<(monitor: Monitor) => Promise<void>>();
  readonly #exits = new Set<(ending: Ending) => void>();
  readonly #removals = new Set<() => void>();
  readonly #starts = new Set<() => void>();

  constructor(record: ContainerRecord) {
    this.record = record;
  }

  get id(): string {
    return this.record.id;
  }

  get name(): string {
    return this.record.name;
  }

  /** Also while it is paused, and while a restart is waited for, as Docker counts it. */
  get isRunning(): boolean {
    return ["running", "paused", "restarting"].includes(this.record.state.status);
  }

  /** Calls back once, at the next end of the program. Returns the function that takes it back. */
  onExit(listener: (ending: Ending) => void): () => void {
    this.#exits.add(listener);
    return () => this.#exits.delete(listener);
  }

  onRemoved(listener: () => void): () => void {
    this.#removals.add(listener);
    return () => this.#removals.delete(listener);
  }

  onStart(listener: () => void): () => void {
    this.#starts.add(listener);
    return () => this.#starts.delete(listener);
  }

  tellExit(ending: Ending): void {
    tell(this.#exits, ending);
  }

  tellRemoved(): void {
    tell(this.#removals, undefined);
  }

  tellStart(): void {
    tell(this.#starts, undefined);
  }
}

function tell<T>(listeners: Set<(value: T) => void>, value: T): void {
  const all = [...listeners];
  listeners.clear();
  for (const listener of all) listener(value);
}
