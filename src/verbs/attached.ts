import { setTimeout as sleep } from "node:timers/promises";
import type { EngineEvent } from "../client/types/system.ts";
import type { Context } from "../context.ts";
import type { Graph } from "../graph/graph.ts";
import { LABEL, projectFilter } from "../labels.ts";
import { observeContainers } from "../reconcile/observe.ts";
import type { ObservedContainer } from "../reconcile/observed.ts";
import { type ExitRules, Exits } from "./exits.ts";
import { Follower } from "./follow.ts";
import type { LogLine } from "./lines.ts";
import { sourceOf } from "./logs.ts";
import { stopProject } from "./stop.ts";

/** How soon after an exit the engine has begun to restart a container that is to be restarted. */
const RESTART_MS = 50;

export interface AttachedOptions extends ExitRules {
  /** Services whose output is shown. */
  readonly shown: readonly string[];
  /** Containers that this `up` has started, as `web-1`: the end of another one is old news. */
  readonly started: ReadonlySet<string>;
  /** Seconds since 1970: output from before is not shown. */
  readonly since: string;
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
  const anyUp = async (): Promise<boolean> => {
    await sleep(RESTART_MS);
    return (await ownContainers(graph, context)).some(isUp);
  };
  const exits = new Exits(
    containers.filter(isUp).map(({ id }) => id),
    options,
    anyUp,
  );
  const tell = (id: string, service: string, source: string, code: number): void => {
    if (options.shown.includes(service)) options.onExit(source, code);
    exits.ended(id, service, code);
  };
  void watchEvents(events, graph, follower, exits, tell, options);
  const printing = printLines(follower, containers, options);
  for (const { id, service, number, exitCode } of containers) {
    const source = `${service}-${number}`;
    if (exitCode !== undefined && options.started.has(source)) tell(id, service, source, exitCode);
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

async function watchEvents(
  events: AsyncIterable<EngineEvent>,
  graph: Graph,
  follower: Follower,
  exits: Exits,
  tell: (id: string, service: string, source: string, code: number) => void,
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
        tell(Actor.ID, service, source, Number(labels["exitCode"] ?? 0));
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

function isUp({ state }: ObservedContainer): boolean {
  return state === "running" || state === "restarting" || state === "paused";
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
