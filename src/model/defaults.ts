/** Values that hold where a file says nothing, whatever is done with the model afterwards. */
import {
  fallback,
  isMap,
  type MapNode,
  mapEntries,
  mapItems,
  type Node,
  scalar,
  textOf,
  withEntry,
} from "./node.ts";
import { type Rules, rules } from "./rules.ts";

/** @returns undefined for a value that says nothing */
type Default = (node: Node) => Node | undefined;

const whenMap =
  (work: (node: MapNode) => MapNode): Default =>
  (node) =>
    isMap(node) ? work(node) : node;

/** No bytes at all mean that no limit is set. */
const bytes: Default = (node) => (textOf(node) === "0" ? undefined : node);

/** Switches that are off when nobody speaks of them: `false` says nothing. */
const off: Default = (node) => (node.kind === "scalar" && node.value === false ? undefined : node);

/** Amounts that stand for "as the engine has it" when they are 0. */
const zero: Default = (node) => (node.kind === "scalar" && Number(node.value) === 0 ? undefined : node);

/** A text of no letters, such as a variable that is set nowhere, is as if nothing were written. */
const empty: Default = (node) => (textOf(node) === "" ? undefined : node);

/** Sorted, as docker compose gives them to the engine. */
const hosts: Default = (node) => {
  if (node.kind !== "list") return node;
  const text = (item: Node): string => textOf(item) ?? "";
  return {
    ...node,
    items: [...node.items].sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0)),
  };
};

/** As many devices as there are, unless the request names some. */
const deviceCount = whenMap((request) => {
  const count = request.entries.get("count");
  if (!count) return request.entries.has("device_ids") ? request : fallback(request, "count", -1);
  const text = textOf(count);
  if (text === undefined || !/^(all|\d+)$/.test(text)) return request;
  return withEntry(request, "count", scalar(text === "all" ? -1 : Number(text), count));
});

const RULES = rules<Default>({
  "services.*.build": whenMap((build) => fallback(build, "context", ".")),
  "services.*.secrets.*": whenMap((secret) =>
    fallback(secret, "target", `/run/secrets/${textOf(secret.entries.get("source"))}`),
  ),
  "services.*.ports.*": whenMap((port) => fallback(fallback(port, "protocol", "tcp"), "mode", "ingress")),
  "services.*.gpus.* services.*.deploy.resources.reservations.devices.*": deviceCount,
  "services.*.volumes.*.bind": whenMap((bind) => fallback(bind, "create_host_path", true)),
  "services.*.mem_limit services.*.mem_reservation services.*.memswap_limit services.*.mem_swappiness": bytes,
  "services.*.shm_size services.*.build.shm_size services.*.volumes.*.tmpfs.size": bytes,
  "services.*.cpus services.*.cpu_count services.*.cpu_percent services.*.cpu_period services.*.cpu_quota services.*.cpu_rt_period services.*.cpu_rt_runtime":
    zero,
  "services.*.cpu_shares services.*.pids_limit services.*.oom_score_adj services.*.blkio_config.weight": zero,
  [[
    "cgroup container_name cpuset domainname hostname image ipc isolation mac_address network_mode pid platform",
    "pull_policy restart runtime stop_signal user userns_mode uts working_dir",
    "build.context build.network build.target build.isolation deploy.mode deploy.endpoint_mode",
    "ports.*.published ports.*.host_ip ports.*.protocol",
  ]
    .join(" ")
    .split(" ")
    .map((path) => `services.*.${path}`)
    .join(" ")]: empty,
  "services.*.extra_hosts services.*.build.extra_hosts": hosts,
  "services.*.privileged services.*.read_only services.*.stdin_open services.*.tty services.*.oom_kill_disable":
    off,
  "services.*.healthcheck.disable services.*.volumes.*.read_only services.*.volumes.*.volume.nocopy": off,
  "services.*.build.no_cache services.*.build.pull services.*.build.privileged services.*.depends_on.*.restart":
    off,
  "networks.*.internal networks.*.attachable networks.*.external volumes.*.external secrets.*.external configs.*.external":
    off,
});

export function setDefaults(model: MapNode): MapNode {
  return walk(model, RULES) as MapNode;
}

function walk(node: Node, below: Rules<Default>): Node | undefined {
  const inner = children(node, below);
  return below.rule ? below.rule(inner) : inner;
}

function children(node: Node, below: Rules<Default>): Node {
  if (node.kind === "map") {
    return mapEntries(node, (value, key) => {
      const next = below.below(key);
      return next && value.tag !== "reset" ? walk(value, next) : value;
    });
  }
  const next = below.below("*");
  return node.kind === "list" && next ? mapItems(node, (item) => walk(item, next) ?? item) : node;
}
