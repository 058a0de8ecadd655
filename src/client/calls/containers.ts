import type { ContainerStats } from "dockerode";
import { textOf, untilAborted } from "../frames.ts";
import { jsonLines } from "../progress.ts";
import { segment, type Transport } from "../transport.ts";
import type { TerminalSize } from "../types/common.ts";
import type { ContainerCalls, WaitOptions, WaitResult } from "../types/containers.ts";

export function containerCalls(engine: Transport): ContainerCalls {
  const at = (id: string, what = ""): string => `/containers/${segment(id)}${what}`;
  const beginWait = async (id: string, { condition, signal }: WaitOptions = {}) => {
    const response = await engine.open("POST", at(id, "/wait"), { query: { condition }, signal });
    const result = textOf(response).then((text) => JSON.parse(text) as WaitResult);
    result.catch(() => {}); // whoever wants the result sees the failure; nobody else has to
    return { result };
  };
  return {
    listContainers: ({ all, limit, size, filters } = {}) =>
      engine.json("GET", "/containers/json", { query: { all, limit, size }, filters }),
    inspectContainer: (id, { size } = {}) => engine.json("GET", at(id, "/json"), { query: { size } }),
    createContainer: ({ name, platform, abortSignal: _, ...json }) =>
      engine.json("POST", "/containers/create", { query: { name, platform }, json }),
    startContainer: (id, { detachKeys } = {}) =>
      engine.done("POST", at(id, "/start"), { query: { detachKeys } }),
    stopContainer: (id, { timeout, signal } = {}) =>
      engine.done("POST", at(id, "/stop"), { query: { t: timeout, signal } }),
    restartContainer: (id, { timeout, signal } = {}) =>
      engine.done("POST", at(id, "/restart"), { query: { t: timeout, signal } }),
    killContainer: (id, { signal } = {}) => engine.done("POST", at(id, "/kill"), { query: { signal } }),
    pauseContainer: (id) => engine.done("POST", at(id, "/pause")),
    unpauseContainer: (id) => engine.done("POST", at(id, "/unpause")),
    renameContainer: (id, name) => engine.done("POST", at(id, "/rename"), { query: { name } }),
    updateContainer: (id, json) => engine.json("POST", at(id, "/update"), { json }),
    removeContainer: (id, { force, volumes } = {}) =>
      engine.done("DELETE", at(id), { query: { force, v: volumes } }),
    async waitContainer(id, options) {
      return (await beginWait(id, options)).result;
    },
    beginWait,
    resizeContainer: (id, size) => engine.done("POST", at(id, "/resize"), { query: sizeQuery(size) }),
    topContainer: (id, psArgs) => engine.json("GET", at(id, "/top"), { query: { ps_args: psArgs } }),
    async containerChanges(id) {
      return (await engine.json<{ Path: string; Kind: 0 | 1 | 2 }[] | null>("GET", at(id, "/changes"))) ?? [];
    },
    stats: (id, { stream = true, signal } = {}) =>
      untilAborted(readStats(engine, at(id, "/stats"), stream, signal), signal),
    commitContainer: (container, options) =>
      engine.json("POST", "/commit", { query: { container, ...options } }),
    pruneContainers: (filters) => engine.json("POST", "/containers/prune", { filters }),
  };
}

async function* readStats(
  engine: Transport,
  path: string,
  stream: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<ContainerStats> {
  yield* jsonLines<ContainerStats>(await engine.open("GET", path, { query: { stream }, signal }));
}

export function sizeQuery({ rows, columns }: TerminalSize): { h: number; w: number } {
  return { h: rows, w: columns };
}
