/** Which of a service's watch rules a changed file falls under, and where it goes. Pure. */
import { isAbsolute, relative, sep } from "node:path";
import { globSource, type Ignore } from "../build/ignore.ts";
import type { WatchRule } from "../model/types.ts";

/** What editors and tools leave behind for a moment. */
const EPHEMERAL =
  /(?:^|\/)(?:\.git(?:\/|$)|4913$|\.#|#.*#$|___jb_|\.goutputstream-)|~$|\.sw[a-p]x?$|\.tmp-\w+$/;

export interface ServiceRules {
  readonly service: string;
  readonly rules: readonly WatchRule[];
  readonly context: string | undefined; // the build context, where .dockerignore applies
  readonly ignore: Ignore;
}

export interface Match {
  readonly rule: WatchRule;
  readonly target: string | undefined; // the file's path in the container, for actions that sync
}

/** Every rule that a path falls under: the first that syncs, and all others. */
export function matches(given: ServiceRules, path: string): readonly Match[] {
  if (isIgnored(given, path)) return [];
  const found: Match[] = [];
  for (const rule of given.rules) {
    const inside = within(rule.path, path);
    if (inside === undefined || excluded(rule, inside)) continue;
    const target =
      rule.target === undefined
        ? undefined
        : inside === ""
          ? rule.target
          : `${rule.target.replace(/\/$/, "")}/${inside}`;
    found.push({ rule, target });
  }
  return found;
}

/** Whether nothing beneath a directory can be of interest, so that it need not be watched. */
export function isIgnored({ context, ignore }: ServiceRules, path: string): boolean {
  if (EPHEMERAL.test(path)) return true;
  const inside = context === undefined ? undefined : within(context, path);
  return inside !== undefined && inside !== "" && ignore.ignores(inside);
}

/** `path` relative to `root`, `/` between names; undefined where it lies outside. */
export function within(root: string, path: string): string | undefined {
  const inside = relative(root, path);
  if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return undefined;
  return inside.split(sep).join("/");
}

/** A rule's own `ignore` and `include`, relative to its path. */
function excluded(rule: WatchRule, inside: string): boolean {
  const fits = (pattern: string): boolean => {
    const clean = pattern.replace(/^\.\//, "").replace(/^\/+/, "").replace(/\/+$/, "");
    // A name without a slash fits at any depth, as in .gitignore.
    const anywhere = clean.includes("/") ? "" : "(?:.*/)?";
    return new RegExp(`^${anywhere}${globSource(clean)}(?:/.*)?$`, "s").test(inside);
  };
  if ((rule.ignore ?? []).some(fits)) return true;
  return rule.include !== undefined && rule.include.length > 0 && inside !== "" && !rule.include.some(fits);
}
