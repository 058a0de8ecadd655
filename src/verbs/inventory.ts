/** Looking things up: images, projects, ports, processes. */
import type { EngineClient } from "../client/client.ts";
import { AppError } from "../errors.ts";
import { LABEL } from "../labels.ts";
import type { ProjectSource } from "../model/types.ts";
import { findContainers, findOne } from "./containers.ts";

export interface ImageRow {
  readonly ID: string;
  readonly ContainerName: string;
  readonly Repository: string;
  readonly Tag: string;
  readonly Size: number; // bytes
}

export async function images(
  source: ProjectSource,
  services: readonly string[],
  engine: EngineClient,
): Promise<readonly ImageRow[]> {
  const { containers } = await findContainers(source, services, engine);
  return await Promise.all(
    containers.map(async ({ id, name }) => {
      const { Image, Config } = await engine.inspectContainer(id);
      const { Size } = await engine.inspectImage(Image);
      const [, repository = Config.Image, tag = "latest"] = /^(.*?)(?::([^:/]+))?$/.exec(Config.Image) ?? [];
      return { ID: Image, ContainerName: name, Repository: repository, Tag: tag, Size };
    }),
  );
}

export interface ProjectRow {
  readonly Name: string;
  readonly Status: string; // `running(3), exited(1)`
  readonly ConfigFiles: string;
}

export async function projects(all: boolean, engine: EngineClient): Promise<readonly ProjectRow[]> {
  const found = await engine.listContainers({ all, filters: { label: [LABEL.project] } });
  const byName = Map.groupBy(found, ({ Labels }) => Labels[LABEL.project]!);
  return [...byName]
    .map(([name, containers]) => {
      const states = Map.groupBy(containers, ({ State }) => State);
      const files = new Set(containers.map(({ Labels }) => Labels[LABEL.configFiles] ?? ""));
      return {
        Name: name,
        Status: [...states].map(([state, list]) => `${state}(${list.length})`).join(", "),
        ConfigFiles: [...files].filter((file) => file !== "").join(","),
      };
    })
    .sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

/**
 * @returns `0.0.0.0:8080`
 * @throws {AppError} SERVICE_NOT_RUNNING where the port is not published
 */
export async function publishedPort(
  source: ProjectSource,
  service: string,
  index: number | undefined,
  port: number,
  protocol: string,
  engine: EngineClient,
): Promise<string> {
  const container = await findOne(source, service, index, engine);
  const { NetworkSettings } = await engine.inspectContainer(container.id);
  const binding = NetworkSettings.Ports[`${port}/${protocol}`]?.[0];
  if (binding) return `${binding.HostIp || "0.0.0.0"}:${binding.HostPort}`;
  const published = Object.entries(NetworkSettings.Ports).flatMap(([key, list]) =>
    list?.length ? [key] : [],
  );
  throw new AppError("SERVICE_NOT_RUNNING", `${service} publishes no port ${port}/${protocol}`, {
    hint: published.length > 0 ? `It publishes ${published.join(", ")}.` : "It publishes none.",
  });
}

export interface ProcessTable {
  readonly name: string;
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export async function processes(
  source: ProjectSource,
  services: readonly string[],
  engine: EngineClient,
): Promise<readonly ProcessTable[]> {
  const { containers } = await findContainers(source, services, engine);
  const running = containers.filter(({ state }) => state === "running");
  return await Promise.all(
    running.map(async ({ id, name }) => {
      const { Titles, Processes } = await engine.topContainer(id);
      return { name, titles: Titles, rows: Processes };
    }),
  );
}
