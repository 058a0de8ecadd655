/** Names that a value may refer to: services, networks, volumes, secrets, configs, models, and where they are declared. */
import { child, entriesOf, type Node } from "../model/node.ts";

export type Section = "services" | "networks" | "volumes" | "secrets" | "configs" | "models";

/** The section that a value at a path names, if it names anything. */
export function referredSection(path: readonly string[]): Section | undefined {
  if (path[0] !== "services" || path.length < 4) return undefined;
  const [, , attribute, ...rest] = path;
  if (attribute === "depends_on" || attribute === "links" || attribute === "volumes_from")
    return rest.length === 1 ? "services" : undefined;
  if (attribute === "extends") return rest[0] === "service" ? "services" : undefined;
  if (attribute === "build" && rest[0] === "secrets") return "secrets";
  if (attribute === "networks" || attribute === "models") return rest.length === 1 ? attribute : undefined;
  if (attribute === "secrets" || attribute === "configs" || attribute === "volumes") {
    return rest.length === 1 || rest[1] === "source" ? attribute : undefined;
  }
  return undefined;
}

export function declaredNames(tree: Node | undefined, section: Section): string[] {
  return [...entriesOf(child(tree, section))].map(([name]) => name);
}
