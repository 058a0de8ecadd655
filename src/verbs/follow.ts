import type { EngineClient } from "../client/client.ts";
import type { EngineEvent } from "../client/types/system.ts";
import { LABEL } from "../labels.ts";
import { type LogLine, type LogSource, mergeByTime, readLines, sinceOf, sortable } from "./lines.ts";

/** Follows the logs of several containers as one sequence, and takes in those that start later. */
export class Follower {
  readonly #engine: EngineClient;
  readonly #signal: AbortSignal;
  readonly #queue: LogLine[] = [];
  readonly #active = new Set<string>(); // ids
  readonly #again = new Map<string, string>(); // id → since when
  #wake: () => void = () => {};
  #begun = false;
  #open = false; // whether containers may still come

  constructor(engine: EngineClient, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  /** History first, merged by time; then lines as they come. Ends when every container has stopped, or on abort. */
  async *run(
    sources: readonly LogSource[],
    range: { readonly tail: number | "all"; readonly since?: string; readonly until?: string },
  ): AsyncGenerator<LogLine> {
    const last = new Map<string, string>();
    const history = sources.map((source) =>
      readLines(this.#engine, source, { ...range, signal: this.#signal }),
    );
    for await (const line of mergeByTime(history)) {
      last.set(line.source, line.time);
      yield line;
    }
    for (const source of sources) {
      const time = last.get(source.source);
      // The engine's `since` includes its moment: the line itself is left out by its time.
      const since =
        time === undefined
          ? (range.since ?? (range.tail === "all" ? undefined : nowSeconds()))
          : sinceOf(time);
      this.follow(source, since, time);
    }
    this.#begun = true;
    for (;;) {
      yield* this.#queue.splice(0);
      if (this.#signal.aborted || (this.#active.size === 0 && !this.#open)) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#queue.length > 0 || this.#signal.aborted) resolve();
        this.#signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Begins to follow one container. Lines up to `after` are known already. */
  follow(source: LogSource, since: string | undefined, after?: string): void {
    if (this.#active.has(source.id)) {
      // It has started anew before the log of its last run was read to the end.
      if (since !== undefined) this.#again.set(source.id, since);
      return;
    }
    this.#active.add(source.id);
    void this.#pump(source, since, after);
  }

  /** Keeps `run` going although nothing is followed, until `false`. */
  hold(open: boolean): void {
    this.#open = open;
    this.#wake();
  }

  /** Follows each container that starts, from its start. */
  async startOn(
    events: AsyncIterable<EngineEvent>,
    wanted: (attributes: Readonly<Record<string, string>>) => boolean,
  ): Promise<void> {
    try {
      for await (const { Actor, timeNano } of events) {
        const { Attributes: labels, ID: id } = Actor;
        if (!this.#begun || !wanted(labels) || labels[LABEL.oneoff] === "True") continue;
        const service = labels[LABEL.service] ?? "";
        const source = `${service}-${labels[LABEL.number] ?? 1}`;
        this.follow({ id, source, service }, (timeNano / 1e9).toFixed(3));
      }
    } catch {
      // The stream of events ends with the engine or on abort; the logs say the rest.
    }
  }

  async #pump(source: LogSource, since: string | undefined, after: string | undefined): Promise<void> {
    const known = after === undefined ? undefined : sortable(after);
    let last = after;
    try {
      const options = { follow: true, tail: "all" as const, ...(since && { since }), signal: this.#signal };
      for await (const line of readLines(this.#engine, source, options)) {
        if (known !== undefined && sortable(line.time) <= known) continue;
        last = line.time;
        this.#queue.push(line);
        this.#wake();
      }
    } catch {
      // A container that is removed while it is followed has nothing more to say.
    } finally {
      this.#active.delete(source.id);
      const begun = this.#again.get(source.id);
      this.#again.delete(source.id);
      if (begun !== undefined && !this.#signal.aborted) this.follow(source, begun, last);
      this.#wake();
    }
  }
}

function nowSeconds(): string {
  return (Date.now() / 1000).toFixed(3);
}
