/** The finished tree as the plain objects that every later stage reads, and the places of their values. */
import type { SourcePosition } from "../errors.ts";
import { child, define, isMap, type MapNode, type Node, toValue } from "./node.ts";
import { positionOf } from "./place.ts";
import { provenance } from "./provenance.ts";
import type { Network, Path, Project, Service, Value } from "./types.ts";

/** What is made here from the tree. */
type Made =
  | "services"
  | "disabledServices"
  | "networks"
  | "volumes"
  | "secrets"
  | "configs"
  | "models"
  | "extensions"
  | "positionOf"
  | "provenanceOf";

export interface Parts extends Omit<Project, Made> {
  readonly model: MapNode;
  readonly disabled: MapNode;
}

export function toProject({ model, disabled, ...rest }: Parts): Project {
  const section = <T>(key: string): Record<string, T> =>
    model.entries.has(key) ? (compact(model.entries.get(key)!) as Record<string, T>) : {};
  const extensions: Record<string, Value> = {};
  for (const [key, value] of model.entries) if (key.startsWith("x-")) define(extensions, key, toValue(value));
  return {
    ...rest,
    services: servicesOf(model.entries.get("services")),
    disabledServices: servicesOf(disabled),
    networks: section<Network>("networks"),
    volumes: section("volumes"),
    secrets: section("secrets"),
    configs: section("configs"),
    models: section("models"),
    extensions,
    positionOf: (path) => positionAt(model, disabled, path),
    provenanceOf: (path) => {
      const node = find(model, disabled, path);
      return node && provenance(node, path);
    },
  };
}

function servicesOf(node: Node | undefined): Record<string, Service> {
  const services: Record<string, Service> = {};
  if (!isMap(node)) return services;
  for (const [name, service] of node.entries)
    define(services, name, { name, ...(compact(service) as object) });
  return services;
}

/** Keys whose nulls say something: a variable that is set nowhere, a network joined without settings. */
const NULL_STAYS = new Set(["environment", "args"]);
const NULL_IS_EMPTY = new Set(["networks", "models", "volumes", "secrets", "configs"]);

/** Plain values without the nulls that mean nothing. */
function compact(node: Node, key = ""): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map((item) => compact(item));
  const result = {};
  for (const [name, value] of node.entries) {
    // docker compose leaves an empty `dockerfile` out, as if nobody had written it.
    if (name === "dockerfile" && value.kind === "scalar" && value.value === "") continue;
    if (value.kind !== "scalar" || value.value !== null || NULL_STAYS.has(key))
      define(result, name, compact(value, name));
    else if (NULL_IS_EMPTY.has(key)) define(result, name, {});
  }
  return result;
}

/** The node at a path, if there is one. */
function find(model: MapNode, disabled: MapNode, path: Path): Node | undefined {
  return path.reduce<Node | undefined>(
    (node, key, index) => step(node, key, index === 1 && path[0] === "services" ? disabled : undefined),
    model,
  );
}

function step(node: Node | undefined, key: string | number, disabled: MapNode | undefined): Node | undefined {
  return node?.kind === "list"
    ? node.items[Number(key)]
    : (child(node, String(key)) ?? disabled?.entries.get(String(key)));
}

/** The place of the value, or of the nearest thing above it. */
function positionAt(model: MapNode, disabled: MapNode, path: Path): SourcePosition | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = find(model, disabled, path.slice(0, length));
    if (node) return positionOf(node.kind === "scalar" ? node.at : (node.key ?? node.at));
  }
  return undefined;
}
