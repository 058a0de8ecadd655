import { EngineError } from "../../errors.ts";
import type { Method, Route } from "../router.ts";

/** What dockerd says outside a swarm; the CLI shows it to its user. */
const NO_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const SWARM: readonly (readonly [Method, string])[] = [
  ["GET", "/swarm"],
  ["POST", "/swarm/update"],
  ["GET", "/swarm/unlockkey"],
  ["POST", "/swarm/unlock"],
  ["GET", "/nodes"],
  ["GET", "/nodes/{id}"],
  ["DELETE", "/nodes/{id}"],
  ["POST", "/nodes/{id}/update"],
  ["GET", "/tasks"],
  ["GET", "/tasks/{id}"],
  ["GET", "/tasks/{id}/logs"],
  ["GET", "/services/{id}/logs"],
  ...["services", "secrets", "configs"].flatMap((kind): [Method, string][] => [
    ["GET", `/${kind}`],
    ["POST", `/${kind}/create`],
    ["GET", `/${kind}/{id}`],
    ["DELETE", `/${kind}/{id}`],
    ["POST", `/${kind}/{id}/update`],
  ]),
];

/** The parts of the API that belong to a cluster: past one machine a project goes to a cluster engine of its own. */
export function swarmRoutes(): Route[] {
  const refuse = (message: string) => async (): Promise<void> => {
    throw new EngineError("unavailable", message);
  };
  const forming = "Slipway forms no swarm: hand the project to a cluster engine instead";
  return [
    ...SWARM.map(([method, path]): Route => ({ method, path, handle: refuse(NO_MANAGER) })),
    { method: "POST", path: "/swarm/init", handle: refuse(forming) },
    { method: "POST", path: "/swarm/join", handle: refuse(forming) },
    { method: "POST", path: "/swarm/leave", handle: refuse("This node is not part of a swarm") },
  ];
}

/** There are no plugins, and none can be added. */
export function pluginRoutes(): Route[] {
  const missing: Route["handle"] = async (request) => {
    throw new EngineError("notFound", `plugin "${request.params["name"]}" not found`);
  };
  const refused: Route["handle"] = async () => {
    throw new EngineError("notImplemented", "Slipway has no plugins");
  };
  return [
    {
      method: "GET",
      path: "/plugins",
      async handle(_request, reply) {
        reply.json(200, []);
      },
    },
    { method: "GET", path: "/plugins/privileges", handle: refused },
    { method: "POST", path: "/plugins/pull", handle: refused },
    { method: "POST", path: "/plugins/create", handle: refused },
    { method: "GET", path: "/plugins/{name*}/json", handle: missing },
    ...["enable", "disable", "upgrade", "push", "set"].map(
      (what): Route => ({ method: "POST", path: `/plugins/{name*}/${what}`, handle: missing }),
    ),
    { method: "DELETE", path: "/plugins/{name*}", handle: missing },
  ];
}
