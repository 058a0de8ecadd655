import type { CreateVolume, Volume } from "../../volumes/types.ts";
import type { Volumes } from "../../volumes/volumes.ts";
import type { Route } from "../router.ts";

/** Everything beneath /volumes. */
export function volumeRoutes({ volumes }: { readonly volumes: Volumes }): Route[] {
  return [
    {
      method: "GET",
      path: "/volumes",
      async handle({ query }, reply) {
        reply.json(200, { Volumes: volumes.list(query.filters()).map(volumeOnWire), Warnings: null });
      },
    },
    {
      method: "POST",
      path: "/volumes/create",
      async handle(request, reply) {
        reply.json(201, volumeOnWire(await volumes.create(await request.json<CreateVolume>())));
      },
    },
    {
      method: "POST",
      path: "/volumes/prune",
      async handle({ query }, reply) {
        const { names, reclaimed } = await volumes.prune(query.filters());
        reply.json(200, { VolumesDeleted: names, SpaceReclaimed: reclaimed });
      },
    },
    {
      method: "GET",
      path: "/volumes/{name}",
      async handle({ params }, reply) {
        reply.json(200, volumeOnWire(volumes.get(params["name"] ?? "")));
      },
    },
    {
      method: "DELETE",
      path: "/volumes/{name}",
      async handle({ params, query }, reply) {
        await volumes.remove(params["name"] ?? "", { force: query.bool("force") });
        reply.empty(204);
      },
    },
  ];
}

/** dockerd writes null for no labels. */
export function volumeOnWire({ Labels, ...volume }: Volume) {
  return { ...volume, Labels: Object.keys(Labels).length > 0 ? Labels : null };
}
