import { digestOf } from "./digest.ts";
import { full, parseReference, type Reference, withDefaultTag } from "./reference.ts";
import type { ImageStore } from "./store.ts";
import type { ImageConfig } from "./types.ts";

export interface CreateImageOptions {
  /** Names, with or without tag. */
  readonly tags?: readonly string[];
  /** Id of the image it was made from. */
  readonly parent?: string;
}

/** @returns the image's id, and the names that it was given now @throws {EngineError} invalid for a bad name */
export async function createImage(
  store: ImageStore,
  config: Omit<ImageConfig, "rootfs">,
  diffIds: readonly string[],
  options: CreateImageOptions,
): Promise<{ readonly id: string; readonly named: readonly Reference[] }> {
  const references = (options.tags ?? []).map((tag) => withDefaultTag(parseReference(tag)));
  const bytes = Buffer.from(JSON.stringify({ ...config, rootfs: { type: "layers", diff_ids: diffIds } }));
  const known = digestOf(bytes);
  // Made before, and named so: a build of which nothing changed writes nothing.
  const isNamed =
    store.catalog.images.has(known) &&
    references.every((reference) => store.resolve(full(reference))?.id === known);
  if (isNamed) return { id: known, named: [] };
  const id = await store.add(bytes, { parent: options.parent ?? "" });
  for (const reference of references) store.setName(reference, id);
  await store.catalog.save();
  return { id, named: references };
}
