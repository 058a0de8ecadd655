import type { EngineClient } from "../client/client.ts";
import { AppError } from "../errors.ts";
import { LABEL, projectFilter } from "../labels.ts";
import { load } from "../model/load.ts";
import type { Project, ProjectSource, Service } from "../model/types.ts";

/**
 * The project of the files; where there are none and a name is given, what the labels of its containers tell. Enough
 * for every verb that makes nothing new.
 *
 * @throws {AppError} COMPOSE_FILE_MISSING where there is neither
 */
export async function loadOrRecall(source: ProjectSource, engine: EngineClient): Promise<Project> {
  try {
    return await load(source);
  } catch (error) {
    const name = source.projectName ?? source.env["COMPOSE_PROJECT_NAME"];
    const absent = error instanceof AppError && error.code === "COMPOSE_FILE_MISSING";
    if (!absent || source.files?.length || !name) throw error;
    return await recall(name, engine);
  }
}

async function recall(name: string, engine: EngineClient): Promise<Project> {
  const containers = await engine.listContainers({ all: true, filters: projectFilter(name) });
  const services: Record<string, Service> = {};
  for (const { Labels: labels, Image } of containers) {
    const service = labels[LABEL.service];
    if (!service || labels[LABEL.oneoff] === "True") continue;
    services[service] ??= {
      name: service,
      image: Image,
      depends_on: readDependencies(labels[LABEL.dependsOn] ?? ""),
    };
  }
  return {
    name,
    services,
    disabledServices: {},
    networks: {},
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    extensions: {},
    workingDir: containers[0]?.Labels[LABEL.workingDir] ?? "/",
    files: [],
    envFiles: [],
    environment: {},
    profiles: [],
    warnings: [],
    positionOf: () => undefined,
    lint: () => [],
    provenanceOf: () => undefined,
  };
}

/** `db:service_healthy:true,x:service_started:false` */
function readDependencies(text: string): NonNullable<Service["depends_on"]> {
  const parts = text.split(",").filter((part) => part !== "");
  return Object.fromEntries(
    parts.map((part) => {
      const [name = "", condition, restart] = part.split(":");
      return [
        name,
        { condition: condition as "service_started", restart: restart === "true", required: false },
      ];
    }),
  );
}
