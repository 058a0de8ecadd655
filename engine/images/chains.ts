import { digestOf } from "./digest.ts";
import type { ImageStore } from "./store.ts";
import type { Dropped } from "./sweep.ts";

/**
 * What a removal's answer says of layers: dockerd names a layer by those below it, so that two images on different
 * bases have two layers even where their files are the same.
 *
 * @param dropped images that are out of the catalog, after the sweep
 * @returns for each image its chain ids that no image has any more, top first; each once
 */
export function deletedChains(store: ImageStore, dropped: readonly Dropped[]): string[][] {
  const { catalog } = store;
  const remaining = [...catalog.images.values()].map(({ layers }) => layers);
  const inImages = new Set(remaining.flat());
  const told = new Set<string>();
  return dropped.map(({ layers }) => {
    const chains = chainIds(layers);
    return chains
      .filter((chain, at) => {
        const own = layers[at] as string;
        const isShared = remaining.some((other) =>
          layers.slice(0, at + 1).every((layer, i) => layer === other[i]),
        );
        // A build cache or a container keeps the files of a layer that is here without an image.
        const isKept = catalog.layers.has(own) && !inImages.has(own);
        const isNew = !isShared && !isKept && !told.has(chain);
        if (isNew) told.add(chain);
        return isNew;
      })
      .reverse();
  });
}

/** @see OCI image-spec, config.md, "Layer ChainID" */
function chainIds(layers: readonly string[]): string[] {
  const chains: string[] = [];
  for (const layer of layers) {
    const below = chains.at(-1);
    chains.push(below === undefined ? layer : digestOf(`${below} ${layer}`));
  }
  return chains;
}
