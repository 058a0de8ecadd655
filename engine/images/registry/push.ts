import { Readable } from "node:stream";
import type { BlobDescriptor } from "../catalog-file.ts";
import { digestOf } from "../digest.ts";
import { pool } from "../pool.ts";
import { ItemProgress, shortId } from "../progress.ts";
import { full, fullName, parseReference, type Reference } from "../reference.ts";
import type { ImageStore } from "../store.ts";
import type { Image, Progress } from "../types.ts";
import { type Manifest, MEDIA, parseManifest } from "./manifest.ts";
import { packLayer } from "./pack.ts";
import { retry } from "./retry.ts";
import type { RegistrySession } from "./session.ts";
import { upload } from "./upload.ts";

export interface PushDeps {
  readonly store: ImageStore;
  readonly session: RegistrySession;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

const AT_ONCE = 4;
const CREATED = 201;
const ACCEPTED = 202;

/** Sends an image's blobs, as far as the registry lacks them, and then its manifest under one tag. */
export async function push(image: Image, name: Reference, deps: PushDeps): Promise<void> {
  const { store, session, progress, signal } = deps;
  const items = [...new Set(image.layers)].map((diffId) => ({
    diffId,
    lines: new ItemProgress(progress, shortId(diffId)),
  }));
  for (const { lines } of items) lines.status("Preparing");
  for (const { lines } of items.slice(AT_ONCE)) lines.status("Waiting");
  const blobs = new Map<string, BlobDescriptor>();
  await pool(
    items,
    AT_ONCE,
    async ({ diffId, lines }) => {
      blobs.set(diffId, await pushLayer(diffId, lines, name, deps));
    },
    signal,
  );
  const config = store.configBytes(image.id);
  if (!(await session.hasBlob(image.id))) {
    const blob = { digest: image.id, size: config.length, open: () => Readable.from([config]) };
    await upload(session, blob, signal === undefined ? {} : { signal });
  }
  const manifest = manifestOf(store, image, blobs);
  await putManifest(session, name.tag ?? "latest", manifest.bytes, manifest.mediaType);
  const digest = digestOf(manifest.bytes);
  await store.blobs.put(manifest.bytes);
  await store.add(config, { manifest: digest });
  store.setName({ ...name, tag: undefined, digest }, image.id, false);
  await store.catalog.save();
  progress({ status: `${name.tag}: digest: ${digest} size: ${manifest.bytes.length}` });
  progress({ progressDetail: {}, aux: { Tag: name.tag, Digest: digest, Size: manifest.bytes.length } });
}

async function pushLayer(
  diffId: string,
  lines: ItemProgress,
  name: Reference,
  deps: PushDeps,
): Promise<BlobDescriptor> {
  const { store, session } = deps;
  const known = store.catalog.layers.get(diffId)?.blobs ?? [];
  for (const blob of known) {
    if (!(await session.hasBlob(blob.digest))) continue;
    lines.status("Layer already exists");
    return blob;
  }
  const blob = known[0] ?? (await packLayer(store, diffId));
  const from = await mountBlob(session, store, blob.digest, diffId, name);
  if (from !== undefined) {
    lines.status(`Mounted from ${from}`);
    return blob;
  }
  const { digest, size } = blob;
  const open = (start: number, end?: number): AsyncIterable<Buffer> => store.blobs.open(digest, start, end);
  const sent = (bytes: number): void => lines.amount("Pushing", bytes, size);
  await upload(session, { digest, size, open }, { sent, ...(deps.signal && { signal: deps.signal }) });
  lines.status("Pushed");
  return blob;
}

/** A blob that the same registry has in a repository we know of need not travel again. @returns that repository */
async function mountBlob(
  session: RegistrySession,
  store: ImageStore,
  digest: string,
  diffId: string,
  name: Reference,
): Promise<string | undefined> {
  for (const from of repositoriesWith(store, diffId, name)) {
    const query = new URLSearchParams({ mount: digest, from });
    const scope = `${session.pushScope} repository:${from}:pull`;
    const response = await session.write({ method: "POST", path: `blobs/uploads/?${query}` }, scope);
    response.resume();
    if (response.statusCode === CREATED) return from;
    const { location } = response.headers;
    // The registry began an ordinary upload instead, which is not gone on with.
    if (response.statusCode === ACCEPTED && location !== undefined) {
      (await session.write({ method: "DELETE", path: location })).resume();
    }
  }
  return undefined;
}

function repositoriesWith(store: ImageStore, diffId: string, name: Reference): string[] {
  const paths = new Set<string>();
  for (const [known, id] of store.catalog.names()) {
    const reference = parseReference(known);
    const isOther =
      reference.domain === name.domain && reference.path !== name.path && reference.digest !== undefined;
    if (isOther && store.catalog.images.get(id)?.layers.includes(diffId)) paths.add(reference.path);
  }
  return [...paths].slice(0, 3);
}

/** The manifest it came with where its blobs are the ones that were sent, so that its digest stays; else a new one. */
export function manifestOf(
  store: ImageStore,
  image: Image,
  blobs: ReadonlyMap<string, BlobDescriptor>,
): { bytes: Buffer; mediaType: string } {
  const layers = image.layers.map((diffId) => blobs.get(diffId) as BlobDescriptor);
  for (const digest of store.catalog.images.get(image.id)?.manifests ?? []) {
    const known = readManifest(store, digest);
    if (known === undefined || known.parsed.config.digest !== image.id) continue;
    if (known.parsed.layers.every((layer, at) => layer.digest === layers[at]?.digest))
      return { bytes: known.bytes, mediaType: known.parsed.mediaType };
  }
  const isOci = layers.some(({ mediaType }) => mediaType.includes("zstd"));
  const document = {
    schemaVersion: 2,
    mediaType: isOci ? MEDIA.ociManifest : MEDIA.dockerManifest,
    config: {
      mediaType: isOci ? MEDIA.ociConfig : MEDIA.dockerConfig,
      size: store.configBytes(image.id).length,
      digest: image.id,
    },
    layers: layers.map(({ mediaType, size, digest }) => ({
      mediaType: isOci
        ? mediaType.replace(`${MEDIA.dockerLayer}.`, `${MEDIA.ociLayer}+`)
        : mediaType.replace(`${MEDIA.ociLayer}+`, `${MEDIA.dockerLayer}.`),
      size,
      digest,
    })),
  };
  return { bytes: Buffer.from(JSON.stringify(document, undefined, 3)), mediaType: document.mediaType };
}

function readManifest(store: ImageStore, digest: string): { bytes: Buffer; parsed: Manifest } | undefined {
  try {
    const { bytes, parsed } = parseManifest(store.blobs.readNow(digest), "");
    return parsed.kind === "manifest" ? { bytes, parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** Names a manifest in the repository: by a tag or its digest. */
export async function putManifest(
  session: RegistrySession,
  tag: string,
  bytes: Buffer,
  mediaType: string,
): Promise<void> {
  await retry(async () => {
    const response = await session.write({
      method: "PUT",
      path: `manifests/${tag}`,
      headers: { "content-type": mediaType, "content-length": String(bytes.length) },
      body: bytes,
    });
    if (response.statusCode !== CREATED) throw await session.failure(response, "push of the manifest");
    response.resume();
  });
}

/** The tags of a repository that are here, as a push without a tag sends them all. */
export function localTags(store: ImageStore, name: Reference): Reference[] {
  const prefix = `${fullName(name)}:`;
  return [...store.catalog.names()]
    .map(([known]) => known)
    .filter((known) => known.startsWith(prefix))
    .map(parseReference)
    .filter((reference) => reference.digest === undefined && full(reference).startsWith(prefix));
}
