/** The variables that a project's files ask for. */
import { load } from "./load.ts";
import { type Variable, variablesOf } from "./template.ts";
import type { ProjectSource } from "./types.ts";

/** @returns each variable once, by name; a default or `required` from wherever it is said */
export async function projectVariables(source: ProjectSource): Promise<Variable[]> {
  const skip = { ...source.skip, interpolation: true, environment: true, consistency: true };
  const { services, disabledServices, networks, volumes, secrets, configs, models, extensions } = await load({
    ...source,
    skip,
  });
  const found = new Map<string, Variable>();
  const walk = (value: unknown): void => {
    if (typeof value === "string")
      for (const variable of variablesOf(value))
        found.set(variable.name, better(found.get(variable.name), variable));
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(walk);
  };
  walk([services, disabledServices, networks, volumes, secrets, configs, models, extensions]);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const better = (before: Variable | undefined, now: Variable): Variable => ({
  name: now.name,
  required: now.required || (before?.required ?? false),
  default: before?.default || now.default,
  alternative: before?.alternative || now.alternative,
});
