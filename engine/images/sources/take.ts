import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import { type Loaded, load } from "../archive/load.ts";
import { importImage } from "../import.ts";
import type { Lease } from "../leases.ts";
import { familiar, parseReference, type Reference, withDefaultTag } from "../reference.ts";
import type { Pulled } from "../registry/pull.ts";
import type { ImageStore } from "../store.ts";
import type { Progress } from "../types.ts";
import { type ImageSource, parseSource } from "./source.ts";

export interface TakeDeps {
  readonly store: ImageStore;
  readonly lease: Lease;
  readonly progress: Progress;
  bootstrap(options: Extract<ImageSource, { kind: "bootstrap" }>["options"]): Promise<Pulled>;
}

/**
 * Gets an image under a name from somewhere else than a registry, and says so.
 *
 * @throws {EngineError} notFound, invalid
 */
export async function take(name: Reference, text: string, deps: TakeDeps): Promise<Pulled> {
  const { store, progress } = deps;
  const source = parseSource(text);
  const shown = familiar(name);
  progress({ status: `Taking ${shown} from ${text}`, aux: { Source: text } });
  if (source.kind === "bootstrap") return deps.bootstrap(source.options);
  const before = store.idOfName(name);
  const id =
    source.kind === "dir"
      ? await takeDirectory(name, source.path, deps)
      : await takeSaved(name, source, deps);
  if (before !== id) {
    store.setName(name, id);
    await store.catalog.save();
  }
  progress({ status: `Status: ${before === id ? "Image is up to date for" : "Took"} ${shown}` });
  return { id, fresh: before !== id };
}

/** The files as one layer. A directory that did not change since gives the image that it gave before. */
async function takeDirectory(name: Reference, path: string, { store, lease }: TakeDeps): Promise<string> {
  await mustBe("directory", path);
  const current = store.idOfName(name);
  const archive = store.workers.tar({ kind: "dir", path }, { oneFileSystem: true });
  const known = current === undefined ? undefined : store.get(current);
  return importImage(store, lease, archive, { source: path, ...(known && { known }) });
}

async function takeSaved(
  name: Reference,
  source: Extract<ImageSource, { path: string; name: string | undefined }>,
  { store, lease }: TakeDeps,
): Promise<string> {
  const isLayout = source.kind === "oci-layout";
  await mustBe(isLayout ? "directory" : "file", source.path);
  if (isLayout) await mustBe("file", join(source.path, "index.json"));
  const archive: Readable = isLayout
    ? store.workers.tar({ kind: "dir", path: source.path })
    : createReadStream(source.path, { highWaterMark: 1 << 20 });
  const loaded = await load(store, lease, archive, () => {}, { named: false });
  return choose(loaded, name, source.name, source.path);
}

/** The image that is asked for; by its own name, the wanted one, or because there is no other. */
function choose(loaded: readonly Loaded[], name: Reference, asked: string | undefined, path: string): string {
  const wanted = familiar(asked === undefined ? name : withDefaultTag(parseReference(asked)));
  const fitting = loaded.find(({ names }) => names.some((other) => familiar(other) === wanted));
  const [only, ...others] = asked === undefined ? loaded : [];
  const chosen = fitting ?? (others.length === 0 ? only : undefined);
  if (chosen !== undefined) return chosen.id;
  const names = loaded.flatMap((image) => image.names.map(familiar)).join(", ") || "images without names";
  throw new EngineError("notFound", `${path} has no image ${wanted}: it has ${names}`);
}

async function mustBe(kind: "file" | "directory", path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (kind === "file" ? found?.isFile() : found?.isDirectory()) return;
  throw new EngineError("notFound", `${path} is no ${kind}`);
}
