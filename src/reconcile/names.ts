import type { Project, Service } from "../model/types.ts";

/** What the engine calls things of a project: Compose's names, so that every tool finds them. */
export function containerName(project: Project, service: string, number: number): string {
  const own = project.services[service]?.container_name;
  return own ?? [project.name, service, number].join(separator(project));
}

export function oneOffName(project: Project, service: string, slug: string): string {
  return [project.name, service, "run", slug].join(separator(project));
}

/** The image that a service runs: its own, or the name its build is tagged with. */
export function imageOf(project: Project, service: Service): string {
  return service.image ?? [project.name, service.name].join(separator(project));
}

/** All images that a service needs: its own first, then those of its `pre_start` steps. */
export function imagesOf(project: Project, service: Service): string[] {
  const more = (service.pre_start ?? []).flatMap(({ image }) => image ?? []);
  return [...new Set([imageOf(project, service), ...more])];
}

/** `--compatibility`, or COMPOSE_COMPATIBILITY, brings the names of Compose v1 back. */
function separator({ environment }: Project): "-" | "_" {
  return /^(1|t|true)$/i.test(environment["COMPOSE_COMPATIBILITY"] ?? "") ? "_" : "-";
}
