import type { BuildkitDeps, BuildkitService } from "../buildkit/service.ts";
import type { Route } from "../router.ts";

/** `POST /grpc` and `/session`: how clients with BuildKit build. */
export function sessionRoutes(deps: BuildkitDeps): Route[] {
  let service: Promise<BuildkitService> | undefined;
  // HTTP/2 costs 10 MB as soon as it is loaded; most daemons never see a BuildKit client.
  const load = (): Promise<BuildkitService> => {
    service ??= import("../buildkit/service.ts").then(({ BuildkitService }) => new BuildkitService(deps));
    return service;
  };
  return [
    {
      method: "POST",
      path: "/grpc",
      async handle(_request, reply) {
        (await load()).serve(await reply.hijack(""));
      },
    },
    {
      method: "POST",
      path: "/session",
      async handle({ headers }, reply) {
        const id = String(headers["x-docker-expose-session-uuid"] ?? "");
        const methods = String(headers["x-docker-expose-session-grpc-method"] ?? "").split(",");
        const buildkit = await load();
        await buildkit.keepSession(
          id,
          methods.map((name) => name.trim()),
          await reply.hijack(""),
        );
      },
    },
  ];
}
