/** Lists that hold each thing once: what is said again takes the first one's place. */
import { isMap, type MapNode, mapEntries, mapItems, type Node, textOf } from "./node.ts";
import { type Rules, rules } from "./rules.ts";
import { formatScalar } from "./scalars.ts";

/** What tells an item apart from others; undefined: it is always kept. */
export type Indexer = (item: Node) => string | undefined;

const byText: Indexer = (item) => (item.kind === "scalar" ? formatScalar(item.value) : undefined);
const byKey =
  (key: string): Indexer =>
  (item) =>
    isMap(item) ? textOf(item.entries.get(key)) : byText(item);

const byTarget =
  (folder: string): Indexer =>
  (item) => {
    if (!isMap(item)) return byText(item);
    const target = textOf(item.entries.get("target"));
    if (target !== undefined) return target.startsWith("/") ? target : `${folder}/${target}`;
    return `${folder}/${textOf(item.entries.get("source"))}`;
  };

const port: Indexer = (item) => {
  if (!isMap(item)) return byText(item);
  const field = (key: string): string => {
    const node = item.entries.get(key);
    return node?.kind === "scalar" ? formatScalar(node.value) : "";
  };
  return `${field("host_ip")}:${field("published")}:${field("target")}/${field("protocol") || "tcp"}`;
};

export const UNIQUE = rules<Indexer>({
  [[
    "cap_add",
    "cap_drop",
    "dns",
    "dns_opt",
    "dns_search",
    "expose",
    "links",
    "profiles",
    "label_file",
    "device_cgroup_rules",
    "external_links",
    "volumes_from",
    "tmpfs",
    "security_opt",
    "group_add",
    "networks.*.aliases",
    "networks.*.link_local_ips",
    "build.tags",
    "build.platforms",
    "extra_hosts",
    "build.extra_hosts",
  ]
    .map((path) => `services.*.${path}`)
    .join(" ")]: byText,
  "services.*.volumes services.*.devices": byKey("target"),
  "services.*.env_file": byKey("path"),
  "services.*.secrets services.*.build.secrets": byTarget("/run/secrets"),
  "services.*.configs": byTarget(""),
  "services.*.ports": port,
});

export function uniqueItems(model: MapNode): MapNode {
  return walk(model, UNIQUE) as MapNode;
}

function walk(node: Node, rules: Rules<Indexer>): Node {
  if (node.kind === "map") {
    return mapEntries(node, (value, key) => {
      const below = rules.below(key);
      return below ? walk(value, below) : value;
    });
  }
  if (node.kind !== "list") return node;
  if (rules.rule) {
    const items = once(node.items, rules.rule);
    return items === node.items ? node : { ...node, items };
  }
  const below = rules.below("*");
  return below ? mapItems(node, (item) => walk(item, below)) : node;
}

/** @returns the same list when nothing was said twice */
export function once(items: readonly Node[], index: Indexer): readonly Node[] {
  if (items.length < 2) return items;
  const places = new Map<string, number>();
  const result: Node[] = [];
  for (const item of items) {
    const key = index(item);
    const at = key === undefined ? undefined : places.get(key);
    if (at !== undefined) result[at] = { ...item, was: result[at] };
    else {
      if (key !== undefined) places.set(key, result.length);
      result.push(item);
    }
  }
  return result.length === items.length ? items : result;
}
