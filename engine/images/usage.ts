import type { Leases } from "./leases.ts";
import type { ImageStore } from "./store.ts";
import type { Image } from "./types.ts";

/** What one image takes: bytes of the file system, for its layers, their packed forms, and what describes it. */
export interface ImageUsage {
  readonly image: Image;
  readonly shared: number; // that something else has, too
  readonly unique: number; // what its removal frees, were no container using it
}

export interface DiskUsage {
  readonly total: number; // bytes of all that images have, each once
  readonly reclaimable: number; // what the removal of all images frees that no container uses
  readonly images: readonly ImageUsage[];
  /** Bytes of a layer that no image has; 0 for one that an image has, or that is not here. */
  layerOnly(diffId: string): Promise<number>;
}

interface Item {
  bytes: number;
  readonly images: Set<string>;
  /** A build cache, a container or work in progress has it. */
  readonly isPinned: boolean;
}

/** @param used ids of images that containers are made from */
export async function diskUsage(
  store: ImageStore,
  leases: Leases,
  used: ReadonlySet<string>,
): Promise<DiskUsage> {
  const { catalog, layers } = store;
  const items = await itemsOf(store, leases.all());
  const images = store.all();
  const sum = (chosen: (item: Item) => boolean): number =>
    [...items.values()].reduce((total, item) => total + (chosen(item) ? item.bytes : 0), 0);
  const isLast = (item: Item, id: string): boolean =>
    item.images.size === 1 && item.images.has(id) && (!item.isPinned || used.has(id));
  return {
    total: sum(() => true),
    reclaimable: sum((item) => !item.isPinned && [...item.images].every((id) => !used.has(id))),
    images: images.map((image) => {
      const unique = sum((item) => isLast(item, image.id));
      return { image, unique, shared: sum((item) => item.images.has(image.id)) - unique };
    }),
    async layerOnly(diffId) {
      const record = catalog.layers.get(diffId);
      return record === undefined || items.has(diffId) ? 0 : layers.disk(diffId, record);
    },
  };
}

/** All files and trees that images have, by digest. */
async function itemsOf(
  { catalog, layers, blobs }: ImageStore,
  pinned: ReadonlySet<string>,
): Promise<Map<string, Item>> {
  const items = new Map<string, Item>();
  const add = async (digest: string, id: string, measure: () => Promise<number>): Promise<void> => {
    const known = items.get(digest);
    if (known !== undefined) return void known.images.add(id);
    const item = { bytes: 0, images: new Set([id]), isPinned: pinned.has(digest) };
    items.set(digest, item);
    item.bytes = await measure();
  };
  for (const [id, record] of [...catalog.images]) {
    for (const diffId of new Set(record.layers)) {
      const layer = catalog.layers.get(diffId);
      if (layer !== undefined) await add(diffId, id, () => layers.disk(diffId, layer));
    }
    for (const digest of new Set([id, ...record.manifests])) await add(digest, id, () => blobs.disk(digest));
  }
  return items;
}
