import type { Containers } from "../../containers/containers.ts";
import { parseDetachKeys } from "../../containers/detach-keys.ts";
import { EngineError } from "../../errors.ts";
import { sinkOf } from "../frames.ts";
import type { Route } from "../router.ts";
import { acceptKey, WebSocketStream } from "../websocket.ts";
import { closeOf } from "./containers.ts";

/** `GET /containers/{id}/attach/ws`: attach for browsers. The output has no frames; stdout and stderr are one. */
export function attachSocketRoutes({ containers }: { readonly containers: Containers }): Route[] {
  return [
    {
      method: "GET",
      path: "/containers/{id}/attach/ws",
      async handle({ headers, params, query }, reply) {
        const container = containers.find(params["id"] ?? "");
        const key = headers["sec-websocket-key"];
        if (headers.upgrade?.toLowerCase() !== "websocket" || key === undefined) {
          throw new EngineError("invalid", "this is for WebSockets: the request asks for no upgrade to one");
        }
        const wanted = (name: string): boolean =>
          query.bool(name, !["stdin", "stdout", "stderr"].some((one) => query.has(one)));
        const options = {
          stdin: wanted("stdin"),
          stdout: wanted("stdout"),
          stderr: wanted("stderr"),
          detachKeys: parseDetachKeys(query.string("detachKeys")),
        };
        reply.header("Sec-WebSocket-Accept", acceptKey(key));
        const socket = new WebSocketStream(await reply.hijack(""));
        try {
          await containers.attach(container.id, options, {
            sink: sinkOf(socket, true),
            input: socket,
            signal: closeOf(socket),
          });
        } finally {
          socket.end();
        }
      },
    },
  ];
}
