import type { Images } from "../../images/images.ts";
import { pool } from "../../images/pool.ts";
import { packLayer } from "../../images/registry/pack.ts";
import type { PackedLayer } from "../caches/form.ts";

const AT_ONCE = 4;

/** Layers as blobs of the store, in the form they already have or were given now: the same blob serves image and cache. */
export async function packLayers(
  diffIds: readonly string[],
  { store }: Images,
  signal: AbortSignal | undefined,
): Promise<Map<string, PackedLayer>> {
  const packed = new Map<string, PackedLayer>();
  await pool(
    [...new Set(diffIds)],
    AT_ONCE,
    async (diffId) => {
      for (const blob of store.catalog.layers.get(diffId)?.blobs ?? []) {
        if ((await store.blobs.size(blob.digest)) === blob.size) packed.set(diffId, { ...blob, diffId });
      }
      if (!packed.has(diffId)) packed.set(diffId, { ...(await packLayer(store, diffId)), diffId });
    },
    signal,
  );
  return packed;
}
