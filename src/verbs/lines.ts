import type { EngineClient } from "../client/client.ts";
import type { LogsOptions } from "../client/types/streams.ts";

export interface LogLine {
  readonly source: string; // `web-1`
  readonly service: string;
  readonly stream: "stdout" | "stderr";
  readonly time: string; // RFC 3339 with nanoseconds, as the engine wrote it
  readonly text: string; // without its line end
}

export interface LogSource {
  readonly id: string;
  readonly source: string;
  readonly service: string;
}

/** A container's log as lines, each with its time. A last line without an end is a line too. */
export async function* readLines(
  engine: EngineClient,
  { id, source, service }: LogSource,
  options: LogsOptions,
): AsyncGenerator<LogLine> {
  const rest = { stdout: "", stderr: "" };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const { stream, data } of engine.logs(id, {
    stdout: true,
    stderr: true,
    ...options,
    timestamps: true,
  })) {
    const lines = (rest[stream] + decoders[stream].decode(data, { stream: true })).split("\n");
    rest[stream] = lines.pop() ?? "";
    for (const line of lines) yield parse(line, stream, source, service);
  }
  for (const stream of ["stdout", "stderr"] as const) {
    if (rest[stream] !== "") yield parse(rest[stream], stream, source, service);
  }
}

function parse(line: string, stream: "stdout" | "stderr", source: string, service: string): LogLine {
  const space = line.indexOf(" ");
  return {
    source,
    service,
    stream,
    time: line.slice(0, space),
    text: line.slice(space + 1).replace(/\r$/, ""),
  };
}

/** Sequences that are each in order of time, as one that is. */
export async function* mergeByTime(sequences: readonly AsyncGenerator<LogLine>[]): AsyncGenerator<LogLine> {
  const heads = await Promise.all(sequences.map((sequence) => sequence.next()));
  for (;;) {
    let first = -1;
    for (let index = 0; index < heads.length; index++) {
      if (heads[index]!.done) continue;
      if (first < 0 || earlier(heads[index]!.value as LogLine, heads[first]!.value as LogLine)) first = index;
    }
    if (first < 0) return;
    yield heads[first]!.value as LogLine;
    heads[first] = await sequences[first]!.next();
  }
}

/** Text compares like time only if the fractions have the same length: engines cut zeros off. */
function earlier(a: LogLine, b: LogLine): boolean {
  return sortable(a.time) < sortable(b.time);
}

export function sortable(time: string): string {
  const [, seconds = time, fraction = ""] = /^([^.Z+]+)(?:\.(\d+))?/.exec(time) ?? [];
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}

/** Seconds since 1970 with nanoseconds, as `since` of the Engine API wants it. */
export function sinceOf(time: string): string {
  const [seconds, fraction] = sortable(time).split(".") as [string, string];
  return `${Math.floor(Date.parse(`${seconds}Z`) / 1000)}.${fraction}`;
}
