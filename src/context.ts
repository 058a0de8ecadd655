import type { EngineClient } from "./client/client.ts";

/** What a line of progress is about. */
export type Subject = "project" | "network" | "volume" | "image" | "container" | "build" | "watch";

/** `done` and `failed` are final for their subject; `note` and `warn` are lines of their own. */
/** `output`: a line that the work printed. */
export type Phase = "working" | "done" | "failed" | "note" | "warn" | "output";

/** One state change. Whoever prints it decides how; who reports it knows nothing about terminals. */
export interface ReportEvent {
  readonly subject: Subject;
  readonly id: string; // the name people use: `web-1`, `shop_default`
  readonly step?: string; // a part of the work that takes its own time, by what it is: `[web 2/5] RUN npm ci`
  readonly phase: Phase;
  readonly text: string; // `creating`, `started`, `healthy`: a word or a short sentence
  readonly why?: string; // what made it necessary
  readonly current?: number; // of `total`, in bytes or steps: progress within the phase
  readonly total?: number;
}

export interface Report {
  on(event: ReportEvent): void;
}

/** All effects that a verb may have: nothing below reads the environment, the terminal or the clock by itself. */
export interface Context {
  readonly engine: EngineClient;
  readonly report: Report;
  readonly signal: AbortSignal; // aborted by the first Ctrl-C: stop in order
  readonly insist: AbortSignal; // aborted by the second: do not wait
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly parallel: number; // operations at once, 1 or more
}
