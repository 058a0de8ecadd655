import type { Leases } from "./leases.ts";
import type { ImageStore } from "./store.ts";

export interface Swept {
  readonly bytes: number; // of the file system, freed
}

/** An image that was just dropped from the catalog. */
export interface Dropped {
  readonly id: string;
  readonly layers: readonly string[]; // diffIds, bottom first
  readonly manifests: readonly string[];
}

/**
 * Removes layers and blobs that no image, lease, cache or container refers to. Marks first, all in one turn of the
 * event loop, so that nothing that begins meanwhile can be missed.
 */
export async function sweep(
  store: ImageStore,
  leases: Leases,
  dropped: readonly Dropped[] = [],
): Promise<Swept> {
  const { catalog, layers, blobs } = store;
  const live = leases.all();
  for (const [id, record] of [...catalog.images]) if (record.ghost === true && !live.has(id)) store.drop(id);
  for (const id of [...live]) for (const diffId of catalog.images.get(id)?.layers ?? []) live.add(diffId);
  for (const [id, record] of catalog.images) {
    live.add(id);
    for (const digest of [...record.layers, ...record.manifests]) live.add(digest);
  }
  const dead = [...catalog.layers].filter(([diffId]) => !live.has(diffId));
  for (const [diffId] of dead) catalog.layers.delete(diffId);
  for (const record of catalog.layers.values()) for (const blob of record.blobs) live.add(blob.digest);
  // The catalog first: a directory that nothing names is cleaned up at the next start, the other way round is a loss.
  await catalog.save();
  let bytes = 0;
  for (const [diffId, record] of dead) bytes += await layers.removeUnlessBack(diffId, record);
  const known = new Set(dropped.flatMap(({ id, manifests }) => [id, ...manifests]));
  for (const [, record] of dead) for (const blob of record.blobs) known.add(blob.digest);
  for (const digest of await blobs.all()) {
    if (live.has(digest) || leases.holds(digest) || catalog.images.has(digest)) continue;
    if (known.has(digest) || !blobs.isRecent(digest)) bytes += await blobs.remove(digest);
  }
  return { bytes };
}
