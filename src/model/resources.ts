/** Rules of the single elements that the schema does not hold, and which of the declared things are used at all. */
import {
  child,
  entriesOf,
  isMap,
  isNull,
  itemsOf,
  type MapNode,
  type Node,
  textOf,
  withEntry,
} from "./node.ts";
import type { Problems } from "./problems.ts";

export function checkResources(model: MapNode, problems: Problems): void {
  for (const [name, volume] of entriesOf(model.entries.get("volumes")))
    checkExternal(`volumes.${name}`, volume, problems);
  checkSources(model, "secrets", ["file", "environment"], problems);
  checkSources(model, "configs", ["file", "environment", "content"], problems);
  for (const [name, service] of entriesOf(model.entries.get("services"))) {
    for (const devices of [
      child(child(child(child(service, "deploy"), "resources"), "reservations"), "devices"),
      child(service, "gpus"),
    ]) {
      for (const request of itemsOf(devices)) {
        const count = child(request, "count");
        const ids = child(request, "device_ids");
        if (textOf(count) !== undefined)
          problems.add(
            "COMPOSE_TYPE",
            `services.${name}: "${textOf(count)}" is no number of devices`,
            count?.at,
            { hint: "Use a number, or `all`." },
          );
        if (count && ids)
          problems.add(
            "COMPOSE_CONFLICT",
            `services.${name}: a device request has both count and device_ids`,
            ids.key ?? ids.at,
            { other: count.key, hint: "Keep one of them." },
          );
      }
    }
    for (const rule of itemsOf(child(child(service, "develop"), "watch"))) {
      const path = child(rule, "path");
      if (path && textOf(path) === "")
        problems.add("COMPOSE_VALUE", `services.${name}.develop.watch: the path is empty`, path.at, {
          hint: "Name the file or folder to watch.",
        });
    }
    for (const volume of itemsOf(child(service, "volumes")))
      checkMount(`services.${name}.volumes`, volume, problems);
    for (const port of itemsOf(child(service, "ports"))) {
      checkTarget(`services.${name}.ports`, port, problems);
      const address = child(port, "host_ip");
      if (
        address &&
        !/^$|^\d{1,3}(\.\d{1,3}){3}$|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(textOf(address) ?? "")
      )
        problems.add(
          "COMPOSE_VALUE",
          `services.${name}.ports: "${textOf(address)}" is no IP address`,
          address.at,
        );
    }
  }
}

function checkTarget(where: string, port: Node, problems: Problems): void {
  const target = child(port, "target");
  if (!target) {
    problems.add("COMPOSE_MISSING_KEY", `${where}: a port names no target`, port.at, {
      hint: "Add `target: PORT`: the port inside the container.",
    });
    return;
  }
  const number = target.kind === "scalar" ? Number(target.value) : Number.NaN;
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    problems.add("COMPOSE_VALUE", `${where}: the target must be a port from 1 to 65535`, target.at);
}

function checkMount(where: string, volume: Node, problems: Problems): void {
  const type = textOf(child(volume, "type"));
  if (type === "bind" && !textOf(child(volume, "source")))
    problems.add("COMPOSE_MISSING_KEY", `${where}: a bind names no source`, volume.at, {
      hint: "Add `source: PATH`.",
    });
  if (type && !textOf(child(volume, "target")))
    problems.add("COMPOSE_MISSING_KEY", `${where}: a mount names no target`, volume.at, {
      hint: "Add `target: PATH`.",
    });
  const size = child(child(volume, "tmpfs"), "size");
  if (textOf(size)?.startsWith("-"))
    problems.add("COMPOSE_VALUE", `${where}: a tmpfs cannot have ${textOf(size)} bytes`, size?.at);
}

const isExternal = (node: Node): boolean => {
  const external = child(node, "external");
  return external?.kind === "scalar" && external.value === true;
};

function checkExternal(where: string, resource: Node, problems: Problems): void {
  if (!isExternal(resource)) return;
  for (const [key, value] of entriesOf(resource)) {
    if (key === "external" || key === "name" || key.startsWith("x-")) continue;
    problems.add("COMPOSE_CONFLICT", `${where} is external and has ${key}`, value.key ?? value.at, {
      hint: "What exists already is not changed here: keep `external` and `name`.",
    });
  }
}

function checkSources(
  model: MapNode,
  kind: "secrets" | "configs",
  keys: readonly string[],
  problems: Problems,
): void {
  for (const [name, node] of entriesOf(model.entries.get(kind))) {
    const given = keys.flatMap((key) => {
      const value = child(node, key);
      return value && !isNull(value) ? [value] : [];
    });
    if (isExternal(node)) continue;
    if (given.length > 1) {
      problems.add(
        "COMPOSE_CONFLICT",
        `${kind}.${name} has more than one of ${keys.join(", ")}`,
        given[1]!.key ?? given[1]!.at,
        { other: given[0]!.key, hint: "Keep one of them." },
      );
    } else if (given.length === 0 && !child(node, "driver")) {
      problems.add("COMPOSE_MISSING_KEY", `${kind}.${name} has no content`, node.key ?? node.at, {
        hint: `Add one of ${keys.join(", ")}, or \`external: true\`.`,
      });
    }
  }
}

/** The model without networks, volumes, secrets, configs and models that none of its services uses. */
export function dropUnused(model: MapNode): MapNode {
  const used = usedBy(model.entries.get("services"));
  let result = model;
  for (const [kind, names] of Object.entries(used)) {
    const resources = model.entries.get(kind);
    if (!isMap(resources)) continue;
    const entries = new Map([...resources.entries].filter(([name]) => names.has(name)));
    result = withEntry(result, kind, entries.size > 0 ? { ...resources, entries } : undefined);
  }
  return result;
}

type Kind = "networks" | "volumes" | "secrets" | "configs" | "models";

export function usedBy(services: Node | undefined): Record<Kind, Set<string>> {
  const used: Record<Kind, Set<string>> = {
    networks: new Set(),
    volumes: new Set(),
    secrets: new Set(),
    configs: new Set(),
    models: new Set(),
  };
  const add = (kind: Kind, name: string | undefined): void => void (name && used[kind].add(name));
  for (const [, service] of entriesOf(services)) {
    for (const [name] of entriesOf(child(service, "networks"))) add("networks", name);
    for (const [name] of entriesOf(child(service, "models"))) add("models", name);
    for (const volume of itemsOf(child(service, "volumes")))
      if (textOf(child(volume, "type")) === "volume") add("volumes", textOf(child(volume, "source")));
    for (const secret of [
      ...itemsOf(child(service, "secrets")),
      ...itemsOf(child(child(service, "build"), "secrets")),
    ])
      add("secrets", textOf(child(secret, "source")));
    for (const config of itemsOf(child(service, "configs"))) add("configs", textOf(child(config, "source")));
    add("configs", textOf(child(child(service, "credential_spec"), "config")));
  }
  return used;
}
