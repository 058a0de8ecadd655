/**
 * Lays one model over another: maps deeply, lists one after the other, anything else replaced. Both are in canonical form,
 * so that a list never meets a map. `!reset` takes away what is below it and `!override` takes its place whole.
 */
import { isMap, type MapNode, mapEntries, type Node, textOf } from "./node.ts";
import { type Rules, rules } from "./rules.ts";
import { type Indexer, once, UNIQUE } from "./unique.ts";

/** What holds below the place where the merge is. */
interface Below {
  readonly rules: Rules<Rule> | undefined;
  readonly unique: Rules<Indexer> | undefined;
  /** Keep `!reset` and `!override` for a later merge, which has to see them too. */
  readonly keepTags: boolean;
}

const step = ({ rules, unique, keepTags }: Below, key: string): Below => ({
  rules: rules?.below(key),
  unique: unique?.below(key),
  keepTags,
});

type Rule = (base: Node, over: Node, below: Below) => Node;

/** Also by nothing: `command:` alone is the image's again. */
const replace: Rule = (_base, over) => over;

/** One source takes the other's place. */
const whole: Rule = (_base, over) => over;

/** `all` leaves nothing to be added to. */
const gpus: Rule = (base, over) => {
  if (base.kind !== "list" || over.kind !== "list") return over;
  const [first, ...more] = base.items;
  const count =
    more.length === 0 && isMap(first) && first.entries.size === 1 ? first.entries.get("count") : undefined;
  const isAll = count?.kind === "scalar" && count.value === -1;
  return isAll ? over : { ...over, items: [...base.items, ...over.items], was: base };
};

/** A driver's options mean nothing to another driver. */
const logging: Rule = (base, over, below) => {
  if (!isMap(base) || !isMap(over)) return over;
  const before = textOf(base.entries.get("driver"));
  const after = textOf(over.entries.get("driver"));
  return before === undefined || after === undefined || before === after ? maps(base, over, below) : over;
};

/** Address pools are told apart by their subnet. */
const pools: Rule = (base, over, below) => {
  if (base.kind !== "list" || over.kind !== "list") return over;
  const subnet = (pool: Node): string => (isMap(pool) ? (textOf(pool.entries.get("subnet")) ?? "") : "");
  const items = [...base.items];
  for (const pool of over.items) {
    const index = items.findIndex((item) => subnet(item) === subnet(pool));
    const before = items[index];
    if (before && isMap(before) && isMap(pool)) items[index] = maps(before, pool, step(below, "*"));
    else items.push(pool);
  }
  return { ...over, items, was: base };
};

/** Variables: `KEY` without a value takes the place of one that had a value. */
const variables: Rule = (base, over, { keepTags }) => {
  if (!isMap(base) || !isMap(over)) return over;
  const entries = new Map(base.entries);
  for (const [key, value] of over.entries) {
    const before = entries.get(key);
    if (value.tag === "reset" && !keepTags) entries.delete(key);
    else entries.set(key, before ? { ...value, was: before } : value);
  }
  return { ...over, entries, was: base };
};

const RULES = rules<Rule>({
  "services.*.command services.*.entrypoint services.*.healthcheck.test": replace,
  "services.*.credential_spec": whole,
  "services.*.logging": logging,
  "services.*.gpus": gpus,
  "services.*.environment services.*.build.args": variables,
  "networks.*.ipam.config": pools,
});

/**
 * @param keepTags keep `!reset` and `!override` for a later merge, which has to see them too
 * @returns the model with `over` laid over `base`
 */
export function merge(base: MapNode | undefined, over: MapNode, keepTags = false): MapNode {
  if (!base) return keepTags ? over : stripMap(over);
  return maps(base, over, { rules: RULES, unique: UNIQUE, keepTags });
}

/** Lays one service over the one it extends. */
export function mergeService(base: MapNode, over: MapNode): MapNode {
  return maps(
    stripMap(base),
    over,
    step(step({ rules: RULES, unique: UNIQUE, keepTags: true }, "services"), "*"),
  );
}

function maps(base: MapNode, over: MapNode, below: Below): MapNode {
  const { keepTags } = below;
  const entries = new Map(base.entries);
  for (const [key, value] of over.entries) {
    const before = entries.get(key);
    if (value.tag === "reset") {
      if (keepTags) entries.set(key, value);
      else entries.delete(key);
    } else if (before === undefined || before.tag === "reset")
      entries.set(key, keepTags ? value : strip(value));
    else if (value.tag === "override" || key.startsWith("x-"))
      entries.set(key, { ...(keepTags ? value : strip(value)), was: before });
    else entries.set(key, nodes(before, value, step(below, key)));
  }
  return { ...over, entries, key: over.key ?? base.key, was: base };
}

function nodes(base: Node, over: Node, below: Below): Node {
  const isNothing = over.kind === "scalar" && over.value === null;
  if (isNothing && below.rules?.rule !== replace) return base;
  if (base.kind === "scalar" && base.value === null) return below.keepTags ? over : strip(over);
  if (below.rules?.rule) {
    const merged = below.rules.rule(base, over, below);
    return merged === over ? { ...over, was: base } : merged;
  }
  if (isMap(base) && isMap(over)) return maps(base, over, below);
  if (base.kind !== "list" || over.kind !== "list") return { ...over, was: base };
  const items = [...base.items, ...over.items];
  return { ...over, items: below.unique?.rule ? once(items, below.unique.rule) : items, was: base };
}

/** Without what is tagged `!reset`, and without the tags. */
function strip(node: Node): Node {
  if (node.kind === "map") return stripMap(node);
  if (node.tag !== undefined) return { ...node, tag: undefined };
  if (node.kind === "list" && node.items.some((item) => item.tag === "reset")) {
    return { ...node, items: node.items.filter((item) => item.tag !== "reset") };
  }
  return node;
}

export function stripMap(node: MapNode): MapNode {
  const stripped = mapEntries(node, (value) => (value.tag === "reset" ? undefined : strip(value)));
  return stripped.tag === undefined ? stripped : { ...stripped, tag: undefined };
}
