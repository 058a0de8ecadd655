import type { Images } from "../../images/images.ts";
import type { ListPlatform } from "../../images/registry/list-document.ts";
import type { ListOptions } from "../../images/registry/lists.ts";
import { registryLogins } from "../registry-auth.ts";
import type { ApiRequest, Route } from "../router.ts";

/** Lists of images for several platforms. The Docker API has no word for them: Docker's client pushes them itself. */
export function manifestRoutes({ images }: { readonly images: Images }): Route[] {
  const { lists } = images;
  return [
    {
      method: "POST",
      path: "/slipway/v1/manifests/create",
      async handle(request, reply) {
        const { list, images: entries, amend = false } = await request.json<CreateRequest>();
        reply.json(201, { name: await lists.create(list, entries, { ...optionsOf(request), amend }) });
      },
    },
    {
      method: "POST",
      path: "/slipway/v1/manifests/annotate",
      async handle(request, reply) {
        const { list, image, platform } = await request.json<AnnotateRequest>();
        await lists.annotate(list, image, platform);
        reply.empty(204);
      },
    },
    {
      method: "POST",
      path: "/slipway/v1/manifests/inspect",
      async handle(request, reply) {
        const { name } = await request.json<{ name: string }>();
        reply.json(200, { text: await lists.inspect(name, optionsOf(request)) });
      },
    },
    {
      method: "POST",
      path: "/slipway/v1/manifests/push",
      async handle(request, reply) {
        const { list, purge = false } = await request.json<{ list: string; purge?: boolean }>();
        const progress = reply.progress();
        const Digest = await lists.push(list, optionsOf(request), (reference) =>
          progress.write({ status: `Pushed ref ${reference}` }),
        );
        if (purge) await lists.remove(list);
        progress.write({ aux: { Digest } });
        progress.end();
      },
    },
    {
      method: "POST",
      path: "/slipway/v1/manifests/remove",
      async handle(request, reply) {
        const { list } = await request.json<{ list: string }>();
        await lists.remove(list);
        reply.empty(204);
      },
    },
  ];
}

function optionsOf(request: ApiRequest): ListOptions {
  const logins = registryLogins(request.headers["x-registry-config"]);
  return { signal: request.signal, ...(logins && { logins }) };
}

interface CreateRequest {
  readonly list: string;
  readonly images: readonly string[];
  readonly amend?: boolean;
}

interface AnnotateRequest {
  readonly list: string;
  readonly image: string;
  readonly platform: Partial<ListPlatform>;
}
