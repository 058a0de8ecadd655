import type { Project } from "../../src/model/types.ts";
import {
  networkDefinition,
  networksOf,
  serviceDefinition,
  volumeDefinition,
} from "../../src/reconcile/definition.ts";
import { imageOf } from "../../src/reconcile/names.ts";
import type { Observed, ObservedContainer } from "../../src/reconcile/observed.ts";

/** An engine on which nothing of the project exists yet. */
export const NOTHING: Observed = {
  containers: [],
  networks: [],
  volumes: [],
  images: { busybox: "sha256:b1" },
  contents: {},
};

/** What the engine has after `up` of `project`: everything runs; `change` alters single containers, by `service-number`. */
export function afterUp(
  project: Project,
  change: Readonly<Record<string, Partial<ObservedContainer>>> = {},
): Observed {
  const services = Object.values(project.services);
  return {
    containers: services.flatMap((service) =>
      Array.from({ length: service.scale ?? 1 }, (_, index): ObservedContainer => {
        const id = `${service.name}-${index + 1}`;
        return {
          id: `${id}-0123456789abcdef`,
          name: service.container_name ?? `${project.name}-${id}`,
          service: service.name,
          number: index + 1,
          oneoff: false,
          state: "running",
          health: service.healthcheck ? "healthy" : undefined,
          exitCode: undefined,
          image: "sha256:b1",
          definition: serviceDefinition(project, service, {}),
          networks: networksOf(project, service),
          anonymous: {},
          ...change[id],
        };
      }),
    ),
    networks: Object.entries(project.networks).map(([key, network]) => ({
      id: `id-${network.name}`,
      name: network.name,
      key,
      project: project.name,
      definition: networkDefinition(network),
    })),
    volumes: Object.entries(project.volumes).map(([key, volume]) => ({
      name: volume.name,
      key,
      project: project.name,
      definition: volumeDefinition(volume),
    })),
    images: Object.fromEntries(services.map((service) => [imageOf(project, service), "sha256:b1"])),
    contents: {},
  };
}
