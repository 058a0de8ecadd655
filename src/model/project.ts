/** The finished tree as the plain objects that every later stage reads, and the places of their values. */
import type { SourcePosition } from "../errors.ts";
import { child, define, isMap, type MapNode, type Node, toValue } from "./node.ts";
import { positionOf } from "./place.ts";
import type { Network, Path, Project, Service, Value } from "./types.ts";

export interface Parts
  extends Omit<
    Project,
    | "services"
    | "disabledServices"
    | "networks"
    | "volumes"
    | "secrets"
    | "configs"
    | "models"
    | "extensions"
    | "positionOf"
  > {
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
    positionOf: (path) => find(model, disabled, path),
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

function find(model: MapNode, disabled: MapNode, path: Path): SourcePosition | undefined {
  let node: Node = model;
  for (const [index, key] of path.entries()) {
    const next: Node | undefined =
      node.kind === "list"
        ? node.items[Number(key)]
        : (child(node, String(key)) ??
          (index === 1 && path[0] === "services" ? disabled.entries.get(String(key)) : undefined));
    if (!next) break;
    node = next;
  }
  return node === model ? undefined : positionOf(node.kind === "scalar" ? node.at : (node.key ?? node.at));
}
