/** What a file may leave out: default values, names from keys, the default network, dependencies that other settings imply. */
import { posix } from "node:path";
import type { Environment } from "./environment.ts";
import {
  child,
  entriesOf,
  isMap,
  isNull,
  itemsOf,
  type MapNode,
  map,
  mapEntries,
  mapItems,
  type Node,
  scalar,
  textOf,
  withEntry,
} from "./node.ts";

/** Values that hold however the model is shown. */
export function setDefaults(model: MapNode): MapNode {
  return services(model, (service) => {
    let result = change(service, "build", (build) =>
      isMap(build) ? fallback(build, "context", ".") : build,
    );
    result = change(result, "secrets", (secrets) =>
      items(secrets, (secret) =>
        fallback(secret, "target", `/run/secrets/${textOf(secret.entries.get("source"))}`),
      ),
    );
    result = change(result, "ports", (ports) =>
      items(ports, (port) => fallback(fallback(port, "protocol", "tcp"), "mode", "ingress")),
    );
    result = change(result, "gpus", (requests) => items(requests, deviceCount));
    result = change(result, "volumes", (volumes) =>
      items(volumes, (volume) =>
        change(volume, "bind", (bind) => (isMap(bind) ? fallback(bind, "create_host_path", true) : bind)),
      ),
    );
    const devices = child(child(child(child(result, "deploy"), "resources"), "reservations"), "devices");
    return devices
      ? deep(result, ["deploy", "resources", "reservations", "devices"], (requests) =>
          items(requests, deviceCount),
        )
      : result;
  });
}

function deviceCount(request: MapNode): MapNode {
  const count = request.entries.get("count");
  if (count)
    return textOf(count) === "all"
      ? withEntry(request, "count", scalar(-1, count))
      : textOf(count) !== undefined && /^\d+$/.test(textOf(count)!)
        ? withEntry(request, "count", scalar(Number(textOf(count)), count))
        : request;
  return request.entries.has("device_ids") ? request : fallback(request, "count", -1);
}

/** What the rest of the program relies on: every name said, every dependency a `depends_on`. */
export function normalize(model: MapNode, projectName: string, environment: Environment): MapNode {
  let result = services(model, (service) => normalizeService(service, environment));
  const used = [...entriesOf(result.entries.get("services"))].some(([, service]) =>
    child(child(service, "networks"), "default"),
  );
  const networks = result.entries.get("networks");
  if (used && !child(networks, "default")) {
    const from = networks ?? result;
    const none = map(new Map(), { at: from.at });
    result = withEntry(
      result,
      "networks",
      isMap(networks) ? withEntry(networks, "default", none) : map([["default", none]], { at: from.at }),
    );
  }
  for (const kind of ["networks", "volumes", "secrets", "configs"])
    result = change(result, kind, (resources) =>
      isMap(resources)
        ? mapEntries(resources, (resource, key) => nameResource(resource, key, projectName))
        : resources,
    );
  return result;
}

function nameResource(resource: Node, key: string, projectName: string): Node {
  const own = isMap(resource) ? resource : map(new Map(), resource);
  const external = own.entries.get("external");
  const isExternal = external?.kind === "scalar" && external.value === true;
  return textOf(own.entries.get("name"))
    ? own
    : withEntry(own, "name", scalar(isExternal ? key : `${projectName}_${key}`, own));
}

function normalizeService(service: MapNode, environment: Environment): MapNode {
  let result = service;
  const networks = result.entries.get("networks");
  if (
    !result.entries.has("network_mode") &&
    !result.entries.has("provider") &&
    (!isMap(networks) || networks.entries.size === 0)
  ) {
    result = withEntry(
      result,
      "networks",
      map([["default", scalar(null, networks ?? { at: result.at })]], networks ?? { at: result.at }),
    );
  }
  result = change(result, "pull_policy", (policy) =>
    textOf(policy) === "if_not_present" ? ({ ...policy, value: "missing" } as Node) : policy,
  );
  result = change(result, "build", (build) => (isMap(build) ? normalizeBuild(build, environment) : build));
  result = change(result, "environment", (variables) => fromEnvironment(variables, environment));
  result = change(result, "volumes", (volumes) =>
    items(volumes, (volume) =>
      change(volume, "target", (target) =>
        textOf(target)?.startsWith("/") ? ({ ...target, value: clean(textOf(target)!) } as Node) : target,
      ),
    ),
  );
  return withDependencies(result);
}

const clean = (path: string): string => posix.normalize(path).replace(/(.)\/$/, "$1");

function normalizeBuild(build: MapNode, environment: Environment): MapNode {
  const named = build.entries.has("dockerfile_inline") ? build : fallback(build, "dockerfile", "Dockerfile");
  return change(named, "args", (args) => fromEnvironment(args, environment));
}

/** `KEY` alone takes the value that the project's environment has; what is set nowhere stays null. */
export function fromEnvironment(variables: Node, environment: Environment): Node {
  if (!isMap(variables)) return variables;
  return mapEntries(variables, (value, key) => {
    const known = isNull(value) ? environment.get(key) : undefined;
    return known === undefined
      ? value
      : ({
          ...value,
          value: known,
          filled: [...(value.filled ?? []), { name: key, from: environment.sourceOf(key)! }],
        } as Node);
  });
}

/** Links, volumes_from and namespaces of another service wait for it as `depends_on` does. */
function withDependencies(service: MapNode): MapNode {
  const implied: { name: string; restart: boolean; from: Node }[] = [];
  for (const link of itemsOf(service.entries.get("links")))
    implied.push({ name: textOf(link)?.split(":")[0] ?? "", restart: true, from: link });
  for (const key of ["network_mode", "ipc", "pid", "uts", "cgroup"]) {
    const mode = service.entries.get(key);
    const name = /^service:(.+)$/.exec(textOf(mode) ?? "")?.[1];
    if (mode && name) implied.push({ name, restart: true, from: mode });
  }
  for (const source of itemsOf(service.entries.get("volumes_from"))) {
    const text = textOf(source) ?? "";
    if (!text.startsWith("container:"))
      implied.push({ name: text.split(":")[0]!, restart: false, from: source });
  }
  if (implied.length === 0) return service;
  const before = service.entries.get("depends_on");
  const entries = new Map(isMap(before) ? before.entries : []);
  for (const { name, restart, from } of implied) {
    if (entries.has(name)) continue;
    const fields: [string, Node][] = [
      ["condition", scalar("service_started", from)],
      ...(restart ? [["restart", scalar(true, from)] as [string, Node]] : []),
      ["required", scalar(true, from)],
    ];
    entries.set(name, map(fields, { at: from.at, key: from.at }));
  }
  return withEntry(service, "depends_on", map(entries, before ?? { at: implied[0]!.from.at }));
}

function services(model: MapNode, work: (service: MapNode, name: string) => MapNode): MapNode {
  return change(model, "services", (all) =>
    isMap(all) ? mapEntries(all, (service, name) => (isMap(service) ? work(service, name) : service)) : all,
  );
}

/** The map with a child changed, when it has that child. */
function change(node: MapNode, key: string, work: (value: Node) => Node): MapNode {
  const value = node.entries.get(key);
  if (!value) return node;
  const next = work(value);
  return next === value ? node : withEntry(node, key, next);
}

function deep(node: MapNode, path: readonly string[], work: (value: Node) => Node): MapNode {
  const [key, ...rest] = path;
  return change(node, key!, (value) =>
    rest.length === 0 ? work(value) : isMap(value) ? deep(value, rest, work) : value,
  );
}

const items = (node: Node, work: (item: MapNode) => MapNode): Node =>
  node.kind === "list" ? mapItems(node, (item) => (isMap(item) ? work(item) : item)) : node;

const fallback = (node: MapNode, key: string, value: string | number | boolean): MapNode =>
  node.entries.has(key) ? node : withEntry(node, key, scalar(value, { at: node.at, key: node.key }));
