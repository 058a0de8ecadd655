/** Relative paths made absolute: each from the folder of the files that it was written in. */
import {
  change,
  isMap,
  type MapNode,
  mapEntries,
  mapItems,
  mapMaps,
  type Node,
  textOf,
  withEntry,
} from "./node.ts";
import { type Rules, rules } from "./rules.ts";
import { absolute, type Base, type Files } from "./source.ts";

type Resolve = (node: Node, base: Base) => Node;

const path: Resolve = (node, base) => {
  const text = textOf(node);
  return text === undefined || text === "" ? node : changed(node, absolute(text, base));
};

/** Git and web addresses, other services and images are no paths. */
const context: Resolve = (node, base) =>
  /^(service:|docker-image:|oci-layout:|target:)|:\/\/|^git@|^github\.com\//.test(textOf(node) ?? "")
    ? node
    : path(node, base);

const mount: Resolve = (node, base) => {
  if (!isMap(node) || textOf(node.entries.get("type")) !== "bind") return node;
  const source = node.entries.get("source");
  return source && !/^[A-Za-z]:[\\/]|^\\\\/.test(textOf(source) ?? "")
    ? withEntry(node, "source", path(source, base))
    : node;
};

/** The local driver binds `device` when it is told `o: bind`. */
const volume: Resolve = (node, base) => {
  const options = isMap(node) ? node.entries.get("driver_opts") : undefined;
  if (!isMap(node) || !isMap(options) || (textOf(node.entries.get("driver")) ?? "local") !== "local")
    return node;
  const device = options.entries.get("device");
  if (!device || textOf(options.entries.get("o")) !== "bind") return node;
  return withEntry(
    node,
    "driver_opts",
    withEntry(options, "device", changed(device, absolute(textOf(device) ?? "", base))),
  );
};

const RULES = rules<Resolve>({
  "services.*.build.context services.*.build.additional_contexts.*": context,
  "services.*.env_file.*.path services.*.label_file.* services.*.extends.file services.*.develop.watch.*.path":
    path,
  "services.*.credential_spec.file configs.*.file secrets.*.file": path,
  "services.*.volumes.*": mount,
  "volumes.*": volume,
});

const changed = (node: Node, value: string): Node =>
  node.kind === "scalar" && node.value !== value ? { ...node, value } : node;

export const resolvePaths = {
  model: (model: MapNode, base: Base): MapNode => walk(model, RULES, base) as MapNode,
  service: (service: MapNode, base: Base): MapNode =>
    walk(service, RULES.below("services")!.below("*")!, base) as MapNode,
};

function walk(node: Node, below: Rules<Resolve>, base: Base): Node {
  const own = below.rule ? below.rule(node, base) : node;
  if (own.kind === "map") {
    return mapEntries(own, (value, key) => {
      const next = below.below(key);
      return next && value.tag !== "reset" ? walk(value, next, base) : value;
    });
  }
  if (own.kind !== "list") return own;
  const next = below.below("*");
  return next ? mapItems(own, (item) => walk(item, next, base)) : own;
}

/** Watched paths without symbolic links: events come under the real one. */
export function realWatchPaths(services: MapNode, files: Files): MapNode {
  return mapMaps(services, (service) =>
    change(service, "develop", (develop) =>
      isMap(develop)
        ? change(develop, "watch", (rules) =>
            mapMaps(rules, (rule) =>
              change(rule, "path", (node) => changed(node, files.real(textOf(node) ?? ""))),
            ),
          )
        : develop,
    ),
  ) as MapNode;
}
