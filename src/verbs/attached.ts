import { setTimeout as sleep } from "node:timers/promises";
import type { EngineEvent } from "../client/client.ts";
import type { Context } from "../context.ts";
import type { Graph } from "../graph/graph.ts";
import { LABEL, projectFilter } from "../labels.ts";
import { observeContainers } from "../reconcile/observe.ts";
import type { ObservedContainer } from "../reconcile/observed.ts";
import { Follower } from "./follow.ts";
import type { LogLine } from "./lines.ts";
import { sourceOf } from "./logs.ts";
import { stopProject } from "./stop.ts";

export interface AttachedOptions {
  /** Services whose output is shown. */
  readonly shown: readonly string[];
  /** Containers that this `up` has started, as `web-1`: the end of another one is old news. */
  readonly started: ReadonlySet<string>;
  /** Seconds since 1970: output from before is not shown. */
  readonly since: string;
  /** Stop all when one container exits, or when one fails. */
  readonly abortOn: "exit" | "failure" | undefined;
  /** The service whose exit status is ours; only its end ends all. */
  readonly exitCodeFrom: string | undefined;
  readonly timeout: number | undefined; // seconds to stop in
  onLine(line: LogLine): void;
  onExit(source: string, code: number): void;
}

/**
 * Stays with a project that is up, until all its containers have stopped or Ctrl-C stops them in order; a second
 * Ctrl-C kills them.
 *
 * @returns the exit status
 */
export async function stayAttached(
  graph: Graph,
  options: AttachedOptions,
  context: Context,
): Promise<number> {
  const { engine } = context;
  const end = new AbortController();
  const filters = { type: ["container"], event: ["start", "die"], ...projectFilter(graph.project.name) };
  const events = await engine.events({ filters, signal: end.signal });
  const containers = await ownContainers(graph, context);
  const follower = new Follower(engine, end.signal);
  follower.hold(true);
  const exits = new Exits(containers.filter(({ state }) => state === "running" || state === "restarting"));
  void watchEvents(events, graph, follower, exits, options);
  const printing = printLines(follower, containers, options);
  for (const { id, service, number, exitCode } of containers) {
    const source = `${service}-${number}`;
    if (exitCode !== undefined && options.started.has(source))
      exits.ended(id, service, source, exitCode, options);
  }
  const ended = await Promise.race([exits.decided, aborted(context.signal)]);
  let status = 0;
  if (ended === undefined) {
    const text = "stopping in order; Ctrl-C again kills";
    context.report.on({ subject: "project", id: graph.project.name, phase: "note", text });
    await stopAll(graph, options, context);
    status = 130;
  } else {
    if (exits.anyRuns) await stopAll(graph, options, context);
    status = ended;
  }
  follower.hold(false);
  // What is on its way is little and near: the engine ends each log, and tells each end, with its container.
  await Promise.race([Promise.all([printing, exits.allEnded]), sleep(1000, undefined, { ref: false })]);
  end.abort();
  return status;
}

/** Which containers run, and what has become of the others. */
class Exits {
  readonly #running: Set<string>; // ids
  readonly #decision = Promise.withResolvers<number>();
  readonly #end = Promise.withResolvers<void>();

  constructor(running: readonly ObservedContainer[]) {
    this.#running = new Set(running.map(({ id }) => id));
  }

  get anyRuns(): boolean {
    return this.#running.size > 0;
  }

  started(id: string): void {
    this.#running.add(id);
  }

  ended(id: string, service: string, source: string, code: number, options: AttachedOptions): void {
    this.#running.delete(id);
    if (options.shown.includes(service)) options.onExit(source, code);
    if (options.exitCodeFrom !== undefined) {
      if (service === options.exitCodeFrom) this.#decision.resolve(code);
    } else if (options.abortOn === "exit" || (options.abortOn === "failure" && code !== 0)) {
      this.#decision.resolve(code);
    }
    if (this.#running.size > 0) return;
    this.#decision.resolve(0);
    this.#end.resolve();
  }

  /** The status, as soon as it is clear that all is to end. */
  get decided(): Promise<number> {
    if (this.#running.size === 0) this.#decision.resolve(0);
    return this.#decision.promise;
  }

  /** When nothing runs any more. */
  get allEnded(): Promise<void> {
    if (this.#running.size === 0) this.#end.resolve();
    return this.#end.promise;
  }
}

async function watchEvents(
  events: AsyncIterable<EngineEvent>,
  graph: Graph,
  follower: Follower,
  exits: Exits,
  options: AttachedOptions,
): Promise<void> {
  try {
    for await (const { Action, Actor, timeNano } of events) {
      const labels = Actor.Attributes;
      const service = labels[LABEL.service] ?? "";
      if (labels[LABEL.oneoff] === "True" || !graph.services.includes(service)) continue;
      const source = `${service}-${labels[LABEL.number] ?? 1}`;
      if (Action === "start") {
        exits.started(Actor.ID);
        if (options.shown.includes(service))
          follower.follow({ id: Actor.ID, source, service }, (timeNano / 1e9).toFixed(3));
      } else {
        exits.ended(Actor.ID, service, source, Number(labels["exitCode"] ?? 0), options);
      }
    }
  } catch {
    // The engine has gone: its containers run on, and there is nothing more to be heard.
  }
}

async function printLines(
  follower: Follower,
  containers: readonly ObservedContainer[],
  options: AttachedOptions,
): Promise<void> {
  const sources = containers.filter(({ service }) => options.shown.includes(service)).map(sourceOf);
  for await (const line of follower.run(sources, { tail: "all", since: options.since })) options.onLine(line);
}

async function stopAll(graph: Graph, options: AttachedOptions, context: Context): Promise<void> {
  const { insist, engine } = context;
  const stopping = stopProject(graph, graph.services, options.timeout, { ...context, signal: insist });
  const stopped = await Promise.race([stopping.then(() => true), aborted(insist)]);
  if (stopped) return;
  const running = (await ownContainers(graph, context)).filter(({ state }) => state === "running");
  // One that has ended meanwhile needs no killing, and a stop that is overtaken has nothing more to say.
  await Promise.allSettled([...running.map(({ id }) => engine.killContainer(id)), stopping]);
}

async function ownContainers(graph: Graph, { engine }: Context): Promise<readonly ObservedContainer[]> {
  const all = await observeContainers(graph.project.name, engine);
  return all.filter(({ service, oneoff }) => !oneoff && graph.services.includes(service));
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
