import type { Readable } from "node:stream";
import { EngineError } from "../errors.ts";
import { applyChanges } from "./changes.ts";
import { decompress } from "./decompress.ts";
import type { Lease } from "./leases.ts";
import { type Reference, withDefaultTag } from "./reference.ts";
import type { ImageStore } from "./store.ts";
import type { Image, ImageConfig, Platform } from "./types.ts";

export interface ImportOptions {
  readonly reference?: Reference;
  /** Dockerfile instructions, such as `CMD ["sh"]`. */
  readonly changes?: readonly string[];
  readonly message?: string;
  readonly platform?: Platform;
  /** What the history says where it came from. */
  readonly source?: string;
  /** Stays what it is if it has the same files. */
  readonly known?: Image;
}

/** What this machine runs: Docker's names for it. */
export function hostPlatform(): Platform {
  const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
  if (process.arch === "arm") return { os: "linux", architecture: "arm", variant: "v7" };
  return { os: "linux", architecture: names[process.arch] ?? process.arch };
}

/**
 * Makes an image of one layer from an archive of a root file system, compressed or not.
 *
 * @returns its id @throws {EngineError} invalid for a broken or hostile archive or an unknown change
 */
export async function importImage(
  store: ImageStore,
  lease: Lease,
  archive: Readable,
  options: ImportOptions,
): Promise<string> {
  const { message, platform = hostPlatform(), source = "-" } = options;
  if (platform.os !== "linux") throw new EngineError("invalid", "operating system is not supported");
  if (options.reference?.digest !== undefined)
    throw new EngineError("invalid", "cannot import digest reference");
  // Before anything is unpacked: a mistake in a change costs nothing then.
  const config = applyChanges({}, options.changes ?? []);
  const { stream } = await decompress(archive);
  const staging = await store.layers.stage();
  const layer = await store.layers
    .fill(staging, stream)
    // The layer is identified anew: its archive can then be made again from the tree, and need not be kept.
    .then(() => store.layers.adoptStaged(staging, lease))
    .catch(async (error: unknown) => {
      await store.layers.discard(staging);
      throw error;
    });
  if (options.known?.layers.length === 1 && options.known.layers[0] === layer.diffId) return options.known.id;
  const created = new Date().toISOString();
  const comment = message || `Imported from ${source}`;
  const image: ImageConfig = {
    ...platform,
    comment,
    created,
    config,
    rootfs: { type: "layers", diff_ids: [layer.diffId] },
    history: [{ created, comment }],
  };
  const id = await store.add(Buffer.from(JSON.stringify(image)));
  if (options.reference !== undefined) store.setName(withDefaultTag(options.reference), id);
  await store.catalog.save();
  return id;
}
