import type { Duplex } from "node:stream";
import { demultiplex, untilAborted } from "../frames.ts";
import { segment, type Transport } from "../transport.ts";
import type { ContainerInspect } from "../types/containers.ts";
import type { Attachment, ExecCalls, LogsOptions, OutputChunk, StreamCalls } from "../types/streams.ts";
import { sizeQuery } from "./containers.ts";

export function streamCalls(engine: Transport): StreamCalls {
  return {
    logs: (id, options = {}) => untilAborted(readLogs(engine, id, options), options.signal),
    async attach(id, { tty, stdin, stdout, stderr, logs, detachKeys }) {
      const query = { stream: true, stdin, stdout, stderr, logs, detachKeys };
      return attachment(await engine.hijack(`/containers/${segment(id)}/attach`, { query }), tty);
    },
  };
}

async function* readLogs(
  engine: Transport,
  id: string,
  { signal, tty, stdout = true, stderr = true, ...query }: LogsOptions,
): AsyncGenerator<OutputChunk> {
  const path = `/containers/${segment(id)}`;
  const isTerminal =
    tty ?? (await engine.json<ContainerInspect>("GET", `${path}/json`, { signal })).Config.Tty;
  const response = await engine.open("GET", `${path}/logs`, { query: { stdout, stderr, ...query }, signal });
  yield* demultiplex(response, isTerminal);
}

export function execCalls(engine: Transport): ExecCalls {
  return {
    async createExec(id, { abortSignal: _, ...json }) {
      return (await engine.json<{ Id: string }>("POST", `/containers/${segment(id)}/exec`, { json })).Id;
    },
    async startExec(execId, { tty, size }) {
      const json = { Detach: false, Tty: tty, ...(size && { ConsoleSize: [size.rows, size.columns] }) };
      return attachment(await engine.hijack(`/exec/${segment(execId)}/start`, { json }), tty);
    },
    startExecDetached: (execId) =>
      engine.done("POST", `/exec/${segment(execId)}/start`, { json: { Detach: true } }),
    inspectExec: (execId) => engine.json("GET", `/exec/${segment(execId)}/json`),
    resizeExec: (execId, size) =>
      engine.done("POST", `/exec/${segment(execId)}/resize`, { query: sizeQuery(size) }),
  };
}

function attachment(connection: Duplex, tty: boolean): Attachment {
  return { connection, output: demultiplex(connection, tty) };
}
