import type { VolumeInspectInfo } from "dockerode";
import type { EngineClient } from "../client/client.ts";
import { LABEL, projectFilter } from "../labels.ts";
import type { ProjectSource } from "../model/types.ts";
import { findContainers } from "./containers.ts";
import { loadOrRecall } from "./project.ts";

/** The project's volumes; with services only those that their containers use. */
export async function volumes(
  source: ProjectSource,
  services: readonly string[],
  engine: EngineClient,
): Promise<readonly VolumeInspectInfo[]> {
  const { name } = await loadOrRecall(source, engine);
  const all = await engine.listVolumes(projectFilter(name));
  if (services.length === 0) return all;
  const { containers } = await findContainers(source, services, engine);
  const inspected = await Promise.all(containers.map(({ id }) => engine.inspectContainer(id)));
  const used = new Set(inspected.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)));
  return all.filter(({ Name, Labels }) => used.has(Name) && Labels?.[LABEL.volume] !== undefined);
}
