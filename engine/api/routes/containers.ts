import type { Duplex } from "node:stream";
import type { Containers } from "../../containers/containers.ts";
import { parseDetachKeys } from "../../containers/detach-keys.ts";
import type { LogEntry } from "../../containers/logs/form.ts";
import type { OutputSink } from "../../containers/streams.ts";
import type { CreateRequest } from "../../containers/types.ts";
import { waitCondition } from "../../containers/wait.ts";
import { EngineError } from "../../errors.ts";
import { frame, RAW, sinkOf, streamType } from "../frames.ts";
import type { ApiRequest, Reply, Route } from "../router.ts";

/** `/containers/…`: life, streams and what is known of containers. */
export function containerRoutes({ containers }: { readonly containers: Containers }): Route[] {
  const id = (request: ApiRequest): string => request.params["id"] ?? "";
  /** Deeds that answer 204 when they are done. */
  const deed = (path: string, act: (request: ApiRequest) => Promise<void>): Route => ({
    method: "POST",
    path: `/containers/{id}/${path}`,
    async handle(request, reply) {
      await act(request);
      reply.empty(204);
    },
  });
  const stopOptions = ({ query }: ApiRequest) => ({
    timeout: query.int("t"),
    signal: query.string("signal"),
  });
  return [
    {
      method: "POST",
      path: "/containers/create",
      async handle(request, reply) {
        const body = await request.json<CreateRequest>();
        const { query } = request;
        const options = { name: query.string("name"), platform: query.string("platform") };
        const { container, warnings } = await containers.create(body, options);
        reply.json(201, { Id: container.id, Warnings: warnings });
      },
    },
    {
      method: "GET",
      path: "/containers/json",
      async handle({ query }, reply) {
        const limit = query.int("limit") ?? 0;
        const [all, size] = [query.bool("all"), query.bool("size")];
        reply.json(200, await containers.list({ all, limit, size, filters: query.filters() }));
      },
    },
    {
      method: "GET",
      path: "/containers/{id}/json",
      async handle(request, reply) {
        reply.json(200, await containers.inspect(id(request), { size: request.query.bool("size") }));
      },
    },
    {
      method: "DELETE",
      path: "/containers/{id}",
      async handle(request, reply) {
        const { query } = request;
        await containers.remove(id(request), { force: query.bool("force"), volumes: query.bool("v") });
        reply.empty(204);
      },
    },
    deed("start", (request) => containers.start(id(request))),
    deed("stop", (request) => containers.stop(id(request), stopOptions(request))),
    deed("restart", (request) => containers.restart(id(request), stopOptions(request))),
    deed("kill", (request) => containers.kill(id(request), request.query.string("signal"))),
    deed("pause", (request) => containers.pause(id(request))),
    deed("unpause", (request) => containers.unpause(id(request))),
    deed("rename", (request) => containers.rename(id(request), request.query.string("name"))),
    {
      method: "POST",
      path: "/containers/{id}/resize",
      async handle(request, reply) {
        const { rows, columns } = terminalSize(request);
        await containers.resize(id(request), rows, columns);
        reply.empty(200);
      },
    },
    {
      method: "POST",
      path: "/containers/{id}/wait",
      handle: (request, reply) => wait(containers, request, reply),
    },
    {
      method: "GET",
      path: "/containers/{id}/logs",
      handle: (request, reply) => logs(containers, request, reply),
    },
    {
      method: "POST",
      path: "/containers/{id}/attach",
      handle: (request, reply) => attach(containers, request, reply),
    },
  ];
}

/** `h` and `w` of a resize. @throws {EngineError} invalid, in Docker's words, for what is no size */
export function terminalSize({ query }: ApiRequest): { readonly rows: number; readonly columns: number } {
  const size = (name: string): number => {
    const text = query.string(name);
    if (/^\d+$/.test(text)) return Math.min(Number(text), 0xffff);
    throw new EngineError("invalid", `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  };
  return { rows: size("h"), columns: size("w") };
}

async function wait(containers: Containers, request: ApiRequest, reply: Reply): Promise<void> {
  const condition = waitCondition(request.query.string("condition"));
  const container = containers.find(request.params["id"] ?? "");
  // Clients wait for the headers before they start the container: the listener must be there first.
  const ending = containers.wait(container.id, condition, request.signal);
  const body = reply.stream(200, "application/json");
  const ended = await ending;
  body.end(
    ended === undefined
      ? `${JSON.stringify({ Error: { Message: "context canceled" }, StatusCode: -1 })}\n`
      : `${JSON.stringify({ StatusCode: ended.exitCode })}\n`,
  );
}

async function logs(containers: Containers, request: ApiRequest, reply: Reply): Promise<void> {
  const { query, version } = request;
  const container = containers.find(request.params["id"] ?? "");
  const [stdout, stderr] = [query.bool("stdout"), query.bool("stderr")];
  if (!stdout && !stderr) {
    throw new EngineError("invalid", "Bad parameters: you must choose at least one stream");
  }
  const tty = container.record.config.Tty ?? false;
  const print = linePrinter({ timestamps: query.bool("timestamps"), details: query.bool("details") });
  const options = {
    stdout,
    stderr,
    follow: query.bool("follow"),
    tail: tailOf(query.string("tail")),
    since: timeOf(query.string("since"), "since"),
    until: timeOf(query.string("until"), "until"),
  };
  const pieces = containers.logs(container.id, options, request.signal);
  const body = reply.stream(200, streamType(version, tty));
  for await (const entries of pieces) {
    const parts = entries.map((entry) => (tty ? print(entry) : frame(entry.stream, print(entry))));
    if (!body.write(Buffer.concat(parts))) await drained(body, request.signal);
    if (request.signal.aborted) return;
  }
  body.end();
}

/** One entry as a client wants it: behind its time, then behind what `--log-opt` chose for it. */
function linePrinter(options: { readonly timestamps: boolean; readonly details: boolean }) {
  return ({ time, text, attrs = {} }: LogEntry): Buffer => {
    const details = Object.entries(attrs)
      .map(([key, value]) => new URLSearchParams([[key, value]]).toString())
      .sort();
    const head = `${options.timestamps ? `${fixedTime(time)} ` : ""}${options.details ? `${details.join(",")} ` : ""}`;
    return head === "" ? text : Buffer.concat([Buffer.from(head), text]);
  };
}

async function attach(containers: Containers, request: ApiRequest, reply: Reply): Promise<void> {
  const { query, version, signal } = request;
  const container = containers.find(request.params["id"] ?? "");
  const tty = container.record.config.Tty ?? false;
  const detachKeys = detachKeysOf(query.string("detachKeys"));
  const [stdout, stderr] = [query.bool("stdout"), query.bool("stderr")];
  if (container.record.state.status === "paused") {
    throw new EngineError(
      "conflict",
      `container ${container.id} is paused, unpause the container before attach`,
    );
  }
  const connection = await reply.hijack(tty ? RAW : streamType(version, tty));
  try {
    if (query.bool("logs"))
      await replay(containers, container.id, connection, { stdout, stderr, tty }, signal);
    if (!query.bool("stream")) return;
    const sink = sinkOf(connection, tty);
    await containers.attach(
      container.id,
      { stdin: query.bool("stdin"), stdout, stderr, detachKeys },
      { sink, input: connection, signal: closeOf(connection) },
    );
  } finally {
    connection.end();
  }
}

function detachKeysOf(text: string): Uint8Array {
  try {
    return parseDetachKeys(text);
  } catch (cause) {
    throw new EngineError("invalid", `Invalid detach keys (${text}) provided`, { cause });
  }
}

async function replay(
  containers: Containers,
  id: string,
  connection: Duplex,
  wanted: { readonly stdout: boolean; readonly stderr: boolean; readonly tty: boolean },
  signal: AbortSignal,
): Promise<void> {
  const options = { ...wanted, follow: false, tail: undefined, since: 0n, until: 0n };
  const sink: OutputSink = sinkOf(connection, wanted.tty);
  for await (const entries of containers.logs(id, options, signal)) {
    for (const { stream, text } of entries) {
      if (!sink.write(stream, text)) await sink.drained();
    }
  }
}

/** Aborted when the connection is closed in both directions. */
export function closeOf(connection: Duplex): AbortSignal {
  const controller = new AbortController();
  connection.once("close", () => controller.abort());
  if (connection.destroyed) controller.abort();
  return controller.signal;
}

async function drained(body: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  body.once("drain", resolve);
  body.once("close", resolve);
  signal.addEventListener("abort", () => resolve());
  await promise;
}

/** With nine digits after the point, whatever the log leaves out, so that columns stay columns. */
function fixedTime(time: string): string {
  const [whole = "", fraction = ""] = time.replace("Z", "").split(".");
  return `${whole}.${fraction.padEnd(9, "0")}Z`;
}

/** `all`, nothing and -1 are all lines. */
function tailOf(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  return Number(text);
}

/** Seconds with up to nine decimals, as nanoseconds. */
function timeOf(text: string, name: string): bigint {
  if (text === "") return 0n;
  const found = /^(\d+)(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (found === null) {
    if (/^-/.test(text)) return 0n;
    throw new EngineError("invalid", `invalid value for "${name}": ${text}`);
  }
  return BigInt(found[1] ?? 0) * 1_000_000_000n + BigInt((found[2] ?? "").padEnd(9, "0"));
}
