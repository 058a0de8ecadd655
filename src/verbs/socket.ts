import type { Context } from "../context.ts";
import { AppError } from "../errors.ts";
import type { Project, Service } from "../model/types.ts";
import { allLogins } from "./credentials.ts";

/** No key of a file can be this. */
const LOGINS = "#api-socket";
const FOLDER = "/run/secrets/docker";

/**
 * Gives the services that ask for it with `use_api_socket` the engine's socket, and the logins with registries.
 *
 * @throws {AppError} COMPOSE_VALUE where the engine is not reached by a socket
 */
export async function withApiSocket(project: Project, { engine, env }: Context): Promise<Project> {
  const using = Object.values(project.services).filter(({ use_api_socket }) => use_api_socket);
  if (using.length === 0) return project;
  const [, socket] = /^unix:\/\/(.*)$/.exec(engine.address) ?? [];
  if (socket === undefined) {
    const at = project.positionOf(["services", using[0]!.name, "use_api_socket"]);
    throw new AppError(
      "COMPOSE_VALUE",
      `${using[0]!.name}: the engine at ${engine.address} has no socket here`,
      {
        ...(at && { at }),
        hint: "Leave use_api_socket out, or use an engine of this machine.",
      },
    );
  }
  const content = JSON.stringify({ auths: await allLogins(env) });
  const changed = using.map((service) => [service.name, given(service, socket)] as const);
  return {
    ...project,
    configs: { ...project.configs, [LOGINS]: { name: LOGINS, content } },
    services: { ...project.services, ...Object.fromEntries(changed) },
  };
}

/** Whoever sets DOCKER_CONFIG has logins of their own. */
function given(service: Service, socket: string): Service {
  const own = service.environment?.["DOCKER_CONFIG"] !== undefined;
  const mount = {
    type: "bind",
    source: socket,
    target: "/var/run/docker.sock",
    bind: { create_host_path: false },
  } as const;
  return {
    ...service,
    volumes: [...(service.volumes ?? []), mount],
    ...(!own && {
      environment: { ...service.environment, DOCKER_CONFIG: FOLDER },
      configs: [...(service.configs ?? []), { source: LOGINS, target: `${FOLDER}/config.json` }],
    }),
  };
}
