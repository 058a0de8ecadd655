import type { Canonical } from "./canonical.ts";
import type { Change } from "./operations.ts";

const SECRET = /pass|secret|token|credential|private|api_?key|_key$/i;

/** What differs between two definitions, leaf by leaf, sorted by path. Values that look secret are not shown. */
export function diff(from: Canonical | undefined, to: Canonical | undefined): readonly Change[] {
  const before = leaves(from);
  const after = leaves(to);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => ({ path, from: shown(path, before.get(path)), to: shown(path, after.get(path)) }));
}

/** `environment.LOG info → debug`; `ports.80/tcp added`. */
export function printChange({ path, from, to }: Change): string {
  if (from === undefined) return to === "true" ? `${path} added` : `${path} → ${to} (added)`;
  if (to === undefined) return `${path} removed${from === "true" ? "" : ` (was ${from})`}`;
  return from === to ? `${path} changed` : `${path} ${from} → ${to}`;
}

function shown(path: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (SECRET.test(path)) return "***";
  return value.length > 60 ? `${value.slice(0, 59)}…` : value;
}

function leaves(value: Canonical | undefined): Map<string, string> {
  const found = new Map<string, string>();
  collect(value ?? {}, "", found);
  return found;
}

function collect(value: Canonical, path: string, found: Map<string, string>): void {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object")) {
      found.set(
        path,
        path === "command" || path === "entrypoint" ? value.join(" ") : `[${value.join(", ")}]`,
      );
      return;
    }
    const seen = new Set<string>();
    value.forEach((item, index) => {
      const identity = identityOf(item) ?? String(index);
      collect(item, `${path}.${seen.has(identity) ? `${identity}#${index}` : identity}`, found);
      seen.add(identity);
    });
    return;
  }
  if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) collect(item, path ? `${path}.${key}` : key, found);
    return;
  }
  found.set(path, String(value));
}

/** What tells two entries of a list apart, so that inserting one does not change all that follow. */
function identityOf(item: Canonical): string | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  const { target, protocol, source } = item as Readonly<Record<string, Canonical>>;
  if (typeof target === "number") return `${target}/${protocol ?? "tcp"}`;
  return typeof target === "string" ? target : typeof source === "string" ? source : undefined;
}
