import type { Containers } from "../../containers/containers.ts";
import type { PathStat } from "../../containers/copy.ts";
import { EngineError } from "../../errors.ts";
import type { RunConfig } from "../../images/types.ts";
import type { ApiRequest, Reply, Route } from "../router.ts";

/** The files of containers: copied in and out, compared, exported and made an image. */
export function containerFileRoutes({ containers }: { readonly containers: Containers }): Route[] {
  const id = (request: ApiRequest): string => request.params["id"] ?? "";
  return [
    {
      method: "HEAD",
      path: "/containers/{id}/archive",
      async handle(request, reply) {
        describe(reply, await containers.statPath(id(request), pathOf(request)));
        reply.empty(200);
      },
    },
    {
      method: "GET",
      path: "/containers/{id}/archive",
      async handle(request, reply) {
        const { stat, archive } = await containers.copyOut(id(request), pathOf(request));
        describe(reply, stat);
        await send(archive, reply);
      },
    },
    {
      method: "PUT",
      path: "/containers/{id}/archive",
      async handle(request, reply) {
        const { query } = request;
        await containers.copyIn(id(request), pathOf(request), request.body, {
          keepKinds: query.bool("noOverwriteDirNonDir"),
          ownByUser: query.bool("copyUIDGID"),
        });
        reply.empty(200);
      },
    },
    {
      method: "GET",
      path: "/containers/{id}/changes",
      async handle(request, reply) {
        reply.json(200, await containers.changes(id(request)));
      },
    },
    {
      method: "GET",
      path: "/containers/{id}/export",
      async handle(request, reply) {
        await send(containers.export(id(request)), reply);
      },
    },
    {
      method: "POST",
      path: "/commit",
      async handle(request, reply) {
        const { query } = request;
        const [repository, tag] = [query.string("repo"), query.string("tag")];
        const image = await containers.commit(query.string("container"), {
          reference: repository === "" ? undefined : tag === "" ? repository : `${repository}:${tag}`,
          comment: query.string("comment"),
          author: query.string("author"),
          changes: query
            .list("changes")
            .flatMap((text) => text.split("\n").filter((line) => line.trim() !== "")),
          config: given(await request.json<RunConfig>({})),
          pause: query.bool("pause", true),
        });
        reply.json(201, { Id: image.id });
      },
    },
  ];
}

function pathOf({ query }: ApiRequest): string {
  const path = query.string("path");
  if (path === "") throw new EngineError("invalid", "bad parameter: path cannot be empty");
  return path;
}

function describe(reply: Reply, stat: PathStat): void {
  reply.header("X-Docker-Container-Path-Stat", Buffer.from(JSON.stringify(stat)).toString("base64"));
}

async function send(archive: NodeJS.ReadableStream & AsyncIterable<Buffer>, reply: Reply): Promise<void> {
  const body = reply.stream(200, "application/x-tar");
  for await (const chunk of archive) {
    if (body.write(chunk)) continue;
    const { promise, resolve } = Promise.withResolvers<void>();
    body.once("drain", resolve).once("close", resolve);
    await promise;
    if (body.destroyed) return;
  }
  body.end();
}

/** Clients send the whole of an image's configuration, empty where nothing is to be changed. */
function given(config: RunConfig): RunConfig | undefined {
  const values = Object.entries(config).filter(([, value]) => {
    if (value === null || value === undefined || value === "" || value === false) return false;
    return typeof value !== "object" || Object.keys(value).length > 0;
  });
  return values.length === 0 ? undefined : (Object.fromEntries(values) as RunConfig);
}
