/** A part of a project: some services with what they depend on, and only the things that these use. */
import { AppError } from "../errors.ts";
import { suggestion } from "./suggest.ts";
import type { Project, Service } from "./types.ts";

/**
 * @param names services; none: the whole project
 * @throws {AppError} SERVICE_UNKNOWN
 */
export function selectServices(project: Project, names: readonly string[]): Project {
  if (names.length === 0) return project;
  const chosen = new Set<string>();
  const add = (name: string): void => {
    const service = project.services[name];
    if (!service || chosen.has(name)) return;
    chosen.add(name);
    for (const dependency of Object.keys(service.depends_on ?? {})) add(dependency);
  };
  for (const name of names) {
    if (!project.services[name]) {
      throw new AppError("SERVICE_UNKNOWN", `no such service: ${name}`, {
        hint: suggestion(name, Object.keys(project.services)),
      });
    }
    add(name);
  }
  const services = Object.fromEntries(Object.entries(project.services).filter(([name]) => chosen.has(name)));
  const used = usedBy(Object.values(services));
  const kept = <T>(section: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> =>
    Object.fromEntries(Object.entries(section).filter(([name]) => names.has(name)));
  return {
    ...project,
    services,
    networks: kept(project.networks, used.networks),
    volumes: kept(project.volumes, used.volumes),
    secrets: kept(project.secrets, used.secrets),
    configs: kept(project.configs, used.configs),
    models: kept(project.models, used.models),
  };
}

function usedBy(services: readonly Service[]) {
  const all = (names: (service: Service) => readonly string[]): Set<string> =>
    new Set(services.flatMap((service) => names(service)));
  return {
    networks: all((service) => Object.keys(service.networks ?? {})),
    volumes: all((service) =>
      (service.volumes ?? []).flatMap(({ type, source }) => (type === "volume" && source ? [source] : [])),
    ),
    secrets: all((service) =>
      [...(service.secrets ?? []), ...(service.build?.secrets ?? [])].map(({ source }) => source),
    ),
    configs: all((service) => [
      ...(service.configs ?? []).map(({ source }) => source),
      ...(service.credential_spec?.config ? [service.credential_spec.config] : []),
    ]),
    models: all((service) => Object.keys(service.models ?? {})),
  };
}
