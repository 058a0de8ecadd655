import type { Containers } from "../../containers/containers.ts";
import type { Sample } from "../../containers/stats.ts";
import type { UpdateRequest } from "../../containers/update.ts";
import type { ApiRequest, Reply, Route } from "../router.ts";

/** How often a client that follows is told, in milliseconds. */
const INTERVAL = 1000;

/** What containers use and may use. */
export function containerStatsRoutes({ containers }: { readonly containers: Containers }): Route[] {
  const id = (request: ApiRequest): string => request.params["id"] ?? "";
  return [
    {
      method: "GET",
      path: "/containers/{id}/stats",
      handle: (request, reply) => stats(containers, request, reply),
    },
    {
      method: "GET",
      path: "/containers/{id}/top",
      async handle(request, reply) {
        reply.json(200, await containers.processes(id(request), request.query.string("ps_args")));
      },
    },
    {
      method: "POST",
      path: "/containers/{id}/update",
      async handle(request, reply) {
        const warnings = await containers.update(id(request), await request.json<UpdateRequest>());
        reply.json(200, { Warnings: warnings.length > 0 ? warnings : null });
      },
    },
    {
      method: "POST",
      path: "/containers/prune",
      async handle({ query }, reply) {
        const { ids, reclaimed } = await containers.prune(query.filters());
        reply.json(200, { ContainersDeleted: ids.length > 0 ? ids : null, SpaceReclaimed: reclaimed });
      },
    },
  ];
}

async function stats(containers: Containers, request: ApiRequest, reply: Reply): Promise<void> {
  const { query, signal } = request;
  const { id } = containers.find(request.params["id"] ?? "");
  const follow = query.bool("stream", true);
  let last: Sample | undefined;
  if (!follow) {
    // A rate needs two samples; who asks for one only gets it at once.
    if (!query.bool("one-shot") && containers.find(id).isRunning) {
      last = await containers.sample(id, undefined);
      await pause(signal);
    }
    reply.json(200, await containers.sample(id, last));
    return;
  }
  const body = reply.stream(200, "application/json");
  while (!signal.aborted) {
    last = await containers.sample(id, last);
    body.write(`${JSON.stringify(last)}\n`);
    await pause(signal);
  }
}

function pause(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, INTERVAL);
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
