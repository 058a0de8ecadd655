/** What the rest of the program relies on: names from keys, the default network, dependencies that other settings imply. */
import {
  change,
  child,
  entriesOf,
  fallback,
  implied,
  isMap,
  itemsOf,
  type MapNode,
  map,
  mapEntries,
  mapMaps,
  type Node,
  scalar,
  textOf,
  withEntry,
} from "./node.ts";

export function normalize(model: MapNode, projectName: string): MapNode {
  let result = change(model, "services", (services) => mapMaps(services, normalizeService));
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
    : withEntry(own, "name", implied(isExternal ? key : `${projectName}_${key}`, own));
}

function normalizeService(service: MapNode): MapNode {
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
      map([["default", implied(null, networks ?? result)]], networks ?? { at: result.at }),
    );
  }
  result = change(result, "pull_policy", (policy) =>
    textOf(policy) === "if_not_present" ? ({ ...policy, value: "missing" } as Node) : policy,
  );
  result = change(result, "build", (build) =>
    isMap(build) && !build.entries.has("dockerfile_inline")
      ? fallback(build, "dockerfile", "Dockerfile")
      : build,
  );
  const image = textOf(result.entries.get("image"));
  if (image)
    result = change(result, "pre_start", (steps) => mapMaps(steps, (step) => fallback(step, "image", image)));
  // Where both words for the number are possible, the newer one has it too.
  const scale = result.entries.get("scale");
  if (scale?.kind === "scalar") {
    result = change(result, "deploy", (deploy) =>
      isMap(deploy) && !deploy.entries.has("replicas") ? withEntry(deploy, "replicas", scale) : deploy,
    );
  }
  return withDependencies(result);
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
