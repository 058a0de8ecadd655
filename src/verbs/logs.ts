import type { EngineClient } from "../client/client.ts";
import { AppError } from "../errors.ts";
import { LABEL, projectFilter } from "../labels.ts";
import type { ProjectSource } from "../model/types.ts";
import { parseDuration } from "../model/units.ts";
import type { ObservedContainer } from "../reconcile/observed.ts";
import { findContainers } from "./containers.ts";
import { Follower } from "./follow.ts";
import { type LogLine, type LogSource, mergeByTime, readLines } from "./lines.ts";

export interface LogsOptions {
  readonly services: readonly string[];
  readonly index: number | undefined;
  readonly follow: boolean;
  readonly tail: number | "all"; // lines a container
  readonly since: string | undefined; // seconds since 1970
  readonly until: string | undefined;
}

/** What the services logged, merged by time; with `follow` also what they will, recreated containers included. */
export async function* logs(
  source: ProjectSource,
  options: LogsOptions,
  { engine, signal }: { readonly engine: EngineClient; readonly signal: AbortSignal },
): AsyncGenerator<LogLine> {
  const { graph, containers, services } = await findContainers(source, options.services, engine);
  const wanted = containers.filter(({ number }) => options.index === undefined || number === options.index);
  const { tail, since, until } = options;
  const range = { tail, ...(since && { since }), ...(until && { until }) };
  if (!options.follow) {
    yield* mergeByTime(
      wanted.map((container) => readLines(engine, sourceOf(container), { ...range, signal })),
    );
    return;
  }
  const follower = new Follower(engine, signal);
  const filters = { type: ["container"], event: ["start"], ...projectFilter(graph.project.name) };
  const events = await engine.events({ filters, signal });
  void follower.startOn(events, (attributes) => services.includes(attributes[LABEL.service] ?? ""));
  yield* follower.run(wanted.map(sourceOf), range);
}

export function sourceOf({ id, service, number }: ObservedContainer): LogSource {
  return { id, source: `${service}-${number}`, service };
}

/**
 * A point in time: RFC 3339, seconds since 1970, or how long ago (`10m`).
 *
 * @returns seconds since 1970, as text
 * @throws {AppError} USAGE
 */
export function pointInTime(text: string, now: number = Date.now()): string {
  if (/^\d+(\.\d+)?$/.test(text)) return text;
  const date = Date.parse(text);
  if (!Number.isNaN(date) && /\d{4}-\d\d-\d\d/.test(text)) return String(date / 1000);
  try {
    return String((now - parseDuration(text) / 1e6) / 1000);
  } catch (cause) {
    throw new AppError("USAGE", `"${text}" is no point in time`, {
      hint: "Write 2026-01-31T12:00:00Z, or how long ago, such as 10m.",
      cause,
    });
  }
}
