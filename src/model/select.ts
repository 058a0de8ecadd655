/** A part of a project: some services with what they depend on. */
import { AppError } from "../errors.ts";
import { suggestion } from "./suggest.ts";
import type { Project } from "./types.ts";

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
  return { ...project, services };
}
