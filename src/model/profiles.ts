/** Which services take part. */
import { child, itemsOf, type MapNode, type Node, textOf } from "./node.ts";

export interface Split {
  readonly enabled: MapNode;
  readonly disabled: MapNode;
}

export const profilesOf = (service: Node): string[] =>
  itemsOf(child(service, "profiles")).flatMap((profile) => textOf(profile) ?? []);

/**
 * @param active profiles that were asked for; `*` is all
 * @param named services that a command names: they bring their own profiles along
 */
export function splitServices(services: MapNode, active: readonly string[], named: readonly string[]): Split {
  const all = new Set(active);
  for (const name of named) {
    const service = services.entries.get(name);
    if (service && !isEnabled(service, all)) for (const profile of profilesOf(service)) all.add(profile);
  }
  const enabled = new Map<string, Node>();
  const disabled = new Map<string, Node>();
  for (const [name, service] of services.entries)
    (isEnabled(service, all) ? enabled : disabled).set(name, service);
  return { enabled: { ...services, entries: enabled }, disabled: { ...services, entries: disabled } };
}

function isEnabled(service: Node, active: ReadonlySet<string>): boolean {
  const profiles = profilesOf(service);
  return profiles.length === 0 || active.has("*") || profiles.some((profile) => active.has(profile));
}
