import type { ImageStore } from "./store.ts";
import type { Image } from "./types.ts";

export interface HistoryLine {
  readonly id: string; // image id, or "<missing>" for what was built elsewhere
  readonly created: string; // RFC 3339
  readonly createdBy: string;
  readonly tags: readonly string[];
  readonly size: number; // bytes of the layer it added
  readonly comment: string;
}

/** How an image came about, newest first. Layers that the history does not explain are listed without words. */
export function historyOf(store: ImageStore, image: Image): HistoryLine[] {
  const lines: Omit<HistoryLine, "id" | "tags">[] = [];
  const layers = [...image.layers];
  for (const entry of image.config.history ?? []) {
    const diffId = entry.empty_layer === true ? undefined : layers.shift();
    lines.push({
      created: entry.created ?? "",
      createdBy: entry.created_by ?? "",
      comment: entry.comment ?? "",
      size: diffId === undefined ? 0 : (store.layers.get(diffId)?.size ?? 0),
    });
  }
  for (const diffId of layers) {
    lines.push({ created: "", createdBy: "", comment: "", size: store.layers.get(diffId)?.size ?? 0 });
  }
  const ids = lineage(store, image.id);
  return lines.reverse().map((line, at) => ({
    ...line,
    id: ids[at] ?? "<missing>",
    tags: ids[at] === undefined ? [] : (store.get(ids[at])?.repoTags ?? []),
  }));
}

/** The image and the images it was made from, one a step, as far as they are here. */
function lineage(store: ImageStore, id: string): string[] {
  const ids: string[] = [];
  for (let at: string | undefined = id; at && !ids.includes(at) && store.catalog.images.has(at); ) {
    ids.push(at);
    at = store.catalog.images.get(at)?.parent;
  }
  return ids;
}
