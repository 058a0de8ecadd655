import type { LayerRecord } from "./catalog.ts";
import type { ImageStore } from "./store.ts";
import type { Image } from "./types.ts";

/** What one image takes: bytes of unpacked layers and of the packed forms that are kept. */
export interface ImageUsage {
  readonly image: Image;
  readonly shared: number; // of layers that other images have, too
  readonly unique: number; // what its removal would free, were nothing else using it
}

export interface DiskUsage {
  readonly layers: number; // bytes of all layers, each once
  readonly images: readonly ImageUsage[];
}

/** What a layer takes: its files, and its packed forms that are kept for pushes. */
export function layerBytes(record: LayerRecord | undefined): number {
  if (record === undefined) return 0;
  return record.blobs.reduce((sum, blob) => sum + blob.size, record.size);
}

export function diskUsage(store: ImageStore): DiskUsage {
  const uses = new Map<string, number>();
  const images = store.all();
  for (const { layers } of images)
    for (const diffId of new Set(layers)) uses.set(diffId, (uses.get(diffId) ?? 0) + 1);
  const sizeOf = (diffId: string): number => layerBytes(store.catalog.layers.get(diffId));
  return {
    layers: [...uses.keys()].reduce((sum, diffId) => sum + sizeOf(diffId), 0),
    images: images.map((image) => {
      const own = [...new Set(image.layers)];
      const sum = (of: readonly string[]): number => of.reduce((total, diffId) => total + sizeOf(diffId), 0);
      const shared = sum(own.filter((diffId) => (uses.get(diffId) ?? 0) > 1));
      return { image, shared, unique: sum(own) - shared };
    }),
  };
}
