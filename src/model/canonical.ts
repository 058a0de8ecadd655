/**
 * Every short form made long, so that merging and reading know one form only: `build: .` a mapping, `8080:80` a port with
 * its fields, a list of `KEY=value` a mapping, a command a list of words, a length of time Go's spelling.
 */
import { AppError } from "../errors.ts";
import * as amounts from "./convert/amounts.ts";
import * as build from "./convert/build.ts";
import * as commands from "./convert/commands.ts";
import * as dependencies from "./convert/dependencies.ts";
import * as hosts from "./convert/hosts.ts";
import * as mounts from "./convert/mounts.ts";
import * as pairs from "./convert/pairs.ts";
import * as ports from "./convert/ports.ts";
import * as texts from "./convert/texts.ts";
import { type MapNode, mapEntries, type Node } from "./node.ts";
import type { Problems } from "./problems.ts";
import { type Rules, rules } from "./rules.ts";

/** @returns the node in long form; a list when one item stands for several */
export type Transform = (node: Node, context: Context) => Node | readonly Node[];

export interface Context {
  readonly path: readonly string[];
  readonly problems: Problems;
}

const prefixed = (paths: readonly string[], prefix = "services.*."): string =>
  paths.map((path) => prefix + path).join(" ");

const RULES: Rules<Transform> = rules<Transform>({
  [prefixed(["build"])]: build.build,
  [prefixed([
    "command",
    "entrypoint",
    "post_start.*.command",
    "pre_stop.*.command",
    "pre_start.*.command",
    "develop.watch.*.exec.command",
  ])]: commands.command,
  [prefixed(["healthcheck.test"])]: commands.test,
  [prefixed(["depends_on"])]: dependencies.dependsOn,
  [prefixed(["env_file"])]: dependencies.envFile,
  [prefixed([
    "dns",
    "dns_search",
    "tmpfs",
    "label_file",
    "develop.watch.*.ignore",
    "develop.watch.*.include",
  ])]: texts.strings,
  [prefixed(["extends"])]: build.extend,
  [prefixed(["extra_hosts", "build.extra_hosts"])]: hosts.extraHosts,
  [prefixed(["gpus"])]: build.gpus,
  [prefixed(["networks", "models"])]: texts.named,
  [prefixed(["volumes.*"])]: mounts.mount,
  [prefixed(["devices.*"])]: mounts.device,
  [prefixed(["secrets.*", "configs.*", "build.secrets.*"])]: mounts.fileMount,
  [prefixed(["ports.*"])]: ports.port,
  [prefixed(["build.ssh"])]: build.ssh,
  [prefixed(["ulimits.*", "build.ulimits.*"])]: amounts.ulimit,
  [prefixed([
    "environment",
    "build.args",
    "post_start.*.environment",
    "pre_stop.*.environment",
    "pre_start.*.environment",
    "develop.watch.*.exec.environment",
  ])]: pairs.variables,
  [prefixed([
    "labels",
    "annotations",
    "sysctls",
    "build.labels",
    "build.additional_contexts",
    "deploy.labels",
    "volumes.*.volume.labels",
    "gpus.*.options",
    "deploy.resources.reservations.devices.*.options",
  ])]: pairs.keyValues,
  "networks.*.labels volumes.*.labels secrets.*.labels configs.*.labels": pairs.keyValues,
  [prefixed(["storage_opt", "logging.options", "networks.*.driver_opts"])]: texts.options,
  "networks.*.driver_opts volumes.*.driver_opts secrets.*.driver_opts": texts.options,
  [prefixed([
    "stop_grace_period",
    "healthcheck.interval",
    "healthcheck.timeout",
    "healthcheck.start_period",
    "healthcheck.start_interval",
    "deploy.restart_policy.delay",
    "deploy.restart_policy.window",
    "deploy.update_config.delay",
    "deploy.update_config.monitor",
    "deploy.rollback_config.delay",
    "deploy.rollback_config.monitor",
  ])]: amounts.duration,
  [prefixed([
    "mem_limit",
    "mem_reservation",
    "memswap_limit",
    "mem_swappiness",
    "shm_size",
    "build.shm_size",
    "volumes.*.tmpfs.size",
    "deploy.resources.limits.memory",
    "deploy.resources.reservations.memory",
    "blkio_config.device_read_bps.*.rate",
    "blkio_config.device_read_iops.*.rate",
    "blkio_config.device_write_bps.*.rate",
    "blkio_config.device_write_iops.*.rate",
  ])]: amounts.bytes,
  [prefixed(["expose.*", "group_add.*", "build.provenance", "build.sbom"])]: texts.text,
  [prefixed(["provider.options.*"])]: texts.texts,
  [prefixed(["deploy.resources.limits.cpus", "deploy.resources.reservations.cpus"])]: amounts.number,
  [prefixed(["volumes.*.tmpfs.mode"])]: texts.octal,
  "networks.* volumes.* secrets.* configs.*": build.external,
  "include.*": build.include,
});

/** Where text may still hold `${…}`, a form that cannot be read is left as it is. */
export function canonical(document: MapNode, problems: Problems, strict: boolean): MapNode {
  return walk(document, RULES, { path: [], problems, strict }) as MapNode;
}

/** The path is one list for the whole walk, which grows and shrinks with it. */
interface Walk extends Context {
  readonly path: string[];
  readonly strict: boolean;
}

function walk(node: Node, below: Rules<Transform>, context: Walk): Node {
  if (node.kind === "map") {
    return mapEntries(node, (value, key) => {
      const next = below.below(key);
      return next ? apply(value, key, next, context)[0] : value;
    });
  }
  const next = below.below("*");
  if (node.kind !== "list" || !next) return node;
  const items = node.items.flatMap((item, index) => apply(item, String(index), next, context));
  return { ...node, items };
}

/** Children first: a rule sees what is below it in long form already. */
function apply(value: Node, key: string, rules: Rules<Transform>, context: Walk): readonly Node[] {
  if (value.tag === "reset") return [value];
  context.path.push(key);
  try {
    const inner = walk(value, rules, context);
    const result = rules.rule ? attempt(rules.rule, inner, context) : inner;
    return Array.isArray(result) ? result : [result as Node];
  } finally {
    context.path.pop();
  }
}

function attempt(rule: Transform, node: Node, context: Walk): ReturnType<Transform> {
  try {
    return rule(node, context);
  } catch (error) {
    // What the schema has refused already may have any form.
    if (!(error instanceof AppError) && context.problems.errors.length === 0) throw error;
    if (error instanceof AppError && context.strict) context.problems.gather(error);
    return node;
  }
}
