/** Takes results of steps to where other machines find them. */
import { Readable } from "node:stream";
import { messageOf } from "../../errors.ts";
import { digestOf } from "../../images/digest.ts";
import type { Images } from "../../images/images.ts";
import { pool } from "../../images/pool.ts";
import { parseReference, withDefaultTag } from "../../images/reference.ts";
import { putManifest } from "../../images/registry/push.ts";
import { RegistrySession } from "../../images/registry/session.ts";
import { upload } from "../../images/registry/upload.ts";
import type { StepRecord } from "../cache.ts";
import { packLayers } from "../results/pack.ts";
import type { BuildRequest } from "../types.ts";
import type { CacheTo } from "./entries.ts";
import { type CacheDocument, writeCache } from "./form.ts";
import { Layout } from "./layout.ts";

export interface ExportDeps {
  readonly images: Images;
  readonly auth: BuildRequest["auth"];
  readonly signal: AbortSignal | undefined;
  status(text: string): void;
}

const AT_ONCE = 4;

/**
 * @param records of every step of the build
 * @param image diffIds of the result's layers
 */
export async function exportCache(
  to: Exclude<CacheTo, { type: "inline" }>,
  records: readonly StepRecord[],
  image: ReadonlySet<string>,
  deps: ExportDeps,
): Promise<void> {
  const name = to.type === "local" ? to.path : to.ref;
  deps.status(`exporting the cache to ${name}`);
  try {
    const chosen = to.mode === "max" ? records : records.filter(({ diffId }) => image.has(diffId));
    const document = writeCache(
      chosen,
      await packLayers(
        chosen.map(({ diffId }) => diffId),
        deps.images,
        deps.signal,
      ),
    );
    if (to.type === "local") await writeLayout(to.path, to.tag, document, deps);
    else await writeRegistry(to.ref, document, deps);
  } catch (error) {
    deps.signal?.throwIfAborted();
    if (!to.ignoreError) throw error;
    deps.status(`the cache was not exported to ${name}: ${messageOf(error)}`);
  }
}

async function writeLayout(
  path: string,
  tag: string,
  { layers, config, manifest, mediaType }: CacheDocument,
  { images }: ExportDeps,
): Promise<void> {
  const layout = new Layout(path);
  for (const { digest } of layers) await layout.add(digest, () => images.store.blobs.open(digest));
  await layout.add(digestOf(config), () => [config]);
  await layout.tag(tag, manifest, mediaType);
}

async function writeRegistry(
  ref: string,
  { layers, config, manifest, mediaType }: CacheDocument,
  { images, auth, signal }: ExportDeps,
): Promise<void> {
  const reference = withDefaultTag(parseReference(ref));
  const credentials = await auth?.(reference.domain);
  const options = { ...(signal && { signal }) };
  const session = new RegistrySession(images.transport, reference, {
    ...options,
    ...(credentials && { auth: credentials }),
  });
  const { blobs } = images.store;
  await pool(
    layers,
    AT_ONCE,
    async ({ digest, size }) => {
      if (await session.hasBlob(digest)) return;
      const open = (start: number, end?: number): AsyncIterable<Buffer> => blobs.open(digest, start, end);
      await upload(session, { digest, size, open }, options);
    },
    signal,
  );
  const own = { digest: digestOf(config), size: config.length, open: () => Readable.from([config]) };
  if (!(await session.hasBlob(own.digest))) await upload(session, own, options);
  await putManifest(session, reference.tag ?? "latest", manifest, mediaType);
}
