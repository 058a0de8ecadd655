import type { Filters } from "../filters.ts";
import { deletedLines, dropWithParents, type RemoveDeps, type Removed } from "./remove.ts";
import { parseUntil } from "./select.ts";
import { type Dropped, sweep } from "./sweep.ts";
import type { Image } from "./types.ts";

export interface Pruned {
  readonly removed: readonly Removed[];
  readonly bytes: number; // freed: layers' files and their packed forms
}

/**
 * Removes images that no container uses: those without a name, or with the filter `dangling=false` all.
 *
 * @throws {EngineError} invalid for an unknown filter
 */
export async function pruneImages(deps: RemoveDeps, filters: Filters): Promise<Pruned> {
  filters.accept("dangling", "label", "label!", "until");
  const { store } = deps;
  const onlyDangling = filters.bool("dangling") ?? true;
  const until = filters.values("until").map(parseUntil);
  const used = new Set([...deps.users()].map(({ imageId }) => imageId));
  const isChosen = (image: Image): boolean =>
    !used.has(image.id) &&
    !deps.leases.holds(image.id) &&
    (!onlyDangling || image.repoTags.length === 0) &&
    // Of what does not say when it was made nobody knows that it is old.
    until.every((time) => Date.parse(image.created) < time) &&
    filters.labels(image.config.config?.Labels);
  const removed: Removed[] = [];
  const dropped: Dropped[] = [];
  for (const image of store.all()) {
    if (!isChosen(image) || isParent(deps, image.id)) continue;
    for (const name of [...image.repoTags, ...image.repoDigests]) removed.push({ untagged: name });
    dropped.push(...dropWithParents(deps, image.id, false));
  }
  const { bytes } = await sweep(store, deps.leases, dropped);
  removed.push(...deletedLines(store, dropped));
  return { removed, bytes };
}

function isParent({ store }: RemoveDeps, id: string): boolean {
  for (const record of store.catalog.images.values()) if (record.parent === id) return true;
  return false;
}
