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

export function diskUsage(store: ImageStore): DiskUsage {
  const uses = new Map<string, number>();
  const images = store.all();
  for (const { layers } of images)
    for (const diffId of new Set(layers)) uses.set(diffId, (uses.get(diffId) ?? 0) + 1);
  const sizeOf = (diffId: string): number => store.catalog.layers.get(diffId)?.size ?? 0;
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
