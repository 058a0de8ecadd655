import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { BuildkitControl, type ControlDeps } from "../buildkit/control.ts";
import { serveGrpc } from "../buildkit/grpc.ts";
import { Sessions } from "../buildkit/sessions.ts";
import type { Route } from "../router.ts";

/** `POST /grpc` and `/session`: how clients with BuildKit build. */
export function sessionRoutes(deps: Omit<ControlDeps, "sessions"> & { readonly log: Log }): Route[] {
  const sessions = new Sessions();
  const methods = new BuildkitControl({ ...deps, sessions }).methods();
  return [
    {
      method: "POST",
      path: "/grpc",
      async handle(_request, reply) {
        serveGrpc(await reply.hijack(""), methods, (path, error) =>
          deps.log.debug("grpc call failed", { path, error: messageOf(error) }),
        );
      },
    },
    {
      method: "POST",
      path: "/session",
      async handle({ headers }, reply) {
        const id = String(headers["x-docker-expose-session-uuid"] ?? "");
        const offered = String(headers["x-docker-expose-session-grpc-method"] ?? "").split(",");
        await sessions.run(
          id,
          offered.map((name) => name.trim()),
          await reply.hijack(""),
        );
      },
    },
  ];
}
