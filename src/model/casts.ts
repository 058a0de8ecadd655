/** Paths whose text becomes a number or a truth value, so that `${SCALE}` can stand where a number is needed. */
import { rules } from "./rules.ts";

export type Cast = "integer" | "number" | "boolean";

export const CASTS = rules<Cast>({
  [[
    "cpu_count",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "deploy.replicas",
    "deploy.update_config.parallelism",
    "deploy.rollback_config.parallelism",
    "deploy.restart_policy.max_attempts",
    "deploy.placement.max_replicas_per_node",
    "healthcheck.retries",
    "oom_score_adj",
    "pids_limit",
    "ports.*.target",
    "scale",
    "ulimits.*",
    "ulimits.*.hard",
    "ulimits.*.soft",
    "build.ulimits.*",
    "build.ulimits.*.hard",
    "build.ulimits.*.soft",
    "blkio_config.weight",
    "networks.*.priority",
    "networks.*.gw_priority",
    "deploy.resources.limits.pids",
  ]
    .map((path) => `services.*.${path}`)
    .join(" ")]: "integer",
  [[
    "cpu_percent",
    "cpus",
    "deploy.update_config.max_failure_ratio",
    "deploy.rollback_config.max_failure_ratio",
  ]
    .map((path) => `services.*.${path}`)
    .join(" ")]: "number",
  [[
    "services.*.init",
    "services.*.attach",
    "services.*.use_api_socket",
    "services.*.depends_on.*.required",
    "services.*.depends_on.*.restart",
    "services.*.healthcheck.disable",
    "services.*.oom_kill_disable",
    "services.*.privileged",
    "services.*.read_only",
    "services.*.stdin_open",
    "services.*.tty",
    "services.*.volumes.*.read_only",
    "services.*.volumes.*.volume.nocopy",
    "services.*.volumes.*.bind.create_host_path",
    "services.*.build.no_cache",
    "services.*.build.pull",
    "services.*.build.privileged",
    "networks.*.external",
    "networks.*.internal",
    "networks.*.attachable",
    "networks.*.enable_ipv4",
    "networks.*.enable_ipv6",
    "volumes.*.external",
    "secrets.*.external",
    "configs.*.external",
  ].join(" ")]: "boolean",
});

/** The value that a text stands for, or undefined when it stands for none. */
export function cast(text: string, to: Cast): number | bigint | boolean | undefined {
  if (to === "boolean") {
    const word = text.toLowerCase();
    if (["true", "y", "yes", "on"].includes(word)) return true;
    return ["false", "n", "no", "off"].includes(word) ? false : undefined;
  }
  if (to === "integer") {
    if (!/^[-+]?[0-9]+$/.test(text)) return undefined;
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : BigInt(text.replace(/^\+/, ""));
  }
  return /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : undefined;
}
