/**
 * The part of the model that a container, network or volume is made from, in a form that can be stored in a label and
 * compared field by field. What only this program reads (scale, dependencies, how to build) is not part of it, so that
 * changing it replaces nothing.
 */
import type { Network, Project, Service, Volume } from "../model/types.ts";
import { type Canonical, canonical } from "./canonical.ts";
import { imageOf } from "./names.ts";

/** Digests of the content of secrets and configs, by `secrets.<key>` and `configs.<key>`. */
export type ContentDigests = Readonly<Record<string, string>>;

const CLIENT_SIDE = new Set([
  "name",
  "attach",
  "build",
  "depends_on",
  "develop",
  "env_file",
  "extends",
  "label_file",
  "post_start",
  "pre_stop",
  "profiles",
  "provider",
  "pull_policy",
  "scale",
  "stop_grace_period",
]);

export function serviceDefinition(project: Project, service: Service, contents: ContentDigests): Canonical {
  const kept = Object.entries(service).filter(([key]) => !CLIENT_SIDE.has(key));
  const definition: Record<string, unknown> = Object.fromEntries(kept);
  definition["image"] = imageOf(project, service);
  definition["deploy"] = {
    resources: service.deploy?.resources,
    restart_policy: service.deploy?.restart_policy,
  };
  definition["environment"] = Object.fromEntries(
    Object.entries(service.environment ?? {}).filter(([, value]) => value !== null),
  );
  definition["networks"] = renamed(service.networks ?? {}, (key) => project.networks[key]?.name ?? key);
  definition["volumes"] = service.volumes?.map((mount) =>
    mount.type === "volume" && mount.source
      ? { ...mount, source: project.volumes[mount.source]?.name ?? mount.source }
      : mount,
  );
  for (const kind of ["secrets", "configs"] as const) {
    definition[kind] = service[kind]?.map((given) => ({
      ...given,
      content: contents[`${kind}.${given.source}`],
    }));
  }
  return canonical(definition) ?? {};
}

export function networkDefinition(network: Network): Canonical {
  const { external: _, ...own } = network;
  return canonical(own) ?? {};
}

export function volumeDefinition(volume: Volume): Canonical {
  const { external: _, ...own } = volume;
  return canonical(own) ?? {};
}

/** The networks a service is connected to, by the engine's names, the primary one first. */
export function networksOf(project: Project, service: Service): readonly string[] {
  const keys = Object.keys(service.networks ?? {}).sort();
  const priority = (key: string): number => service.networks?.[key]?.priority ?? 0;
  return keys.sort((a, b) => priority(b) - priority(a)).map((key) => project.networks[key]?.name ?? key);
}

function renamed<T>(
  record: Readonly<Record<string, T>>,
  name: (key: string) => string,
): Record<string, unknown> {
  // A network without settings must still count: `{}` would be dropped as empty.
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => {
      const settings = canonical(value);
      return [name(key), settings && Object.keys(settings).length > 0 ? settings : true];
    }),
  );
}
