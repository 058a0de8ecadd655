import { Readable } from "node:stream";
import { EngineError } from "../../errors.ts";
import type { Serial } from "../../store/serial.ts";
import { decompress } from "../decompress.ts";
import { digestOf, isDigest } from "../digest.ts";
import { hostPlatform } from "../import.ts";
import type { Lease } from "../leases.ts";
import { pool } from "../pool.ts";
import { ItemProgress, shortId } from "../progress.ts";
import { familiar, familiarName, type Reference, withDefaultTag } from "../reference.ts";
import type { ImageStore } from "../store.ts";
import type { ImageConfig, Platform, Progress } from "../types.ts";
import { download, dropPartial, hasPartial } from "./download.ts";
import { type Descriptor, type Manifest, type RawManifest, selectPlatform } from "./manifest.ts";
import type { RegistrySession } from "./session.ts";

export interface PullDeps {
  readonly store: ImageStore;
  readonly session: RegistrySession;
  /** Keeps what is pulled until the image is there. */
  readonly lease: Lease;
  /** One download of a layer at a time, whoever asks. */
  readonly serial: Serial;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

export interface PullOptions {
  readonly platform?: Platform;
}

/** Layers in work at a time: enough to keep the processor busy while others wait for the network. */
const AT_ONCE = 4;

export interface Pulled {
  readonly id: string;
  /** False: it was there. */
  readonly fresh: boolean;
}

/** Pulls an image by its name, several layers at a time, each unpacked as it arrives. */
export async function pull(reference: Reference, options: PullOptions, deps: PullDeps): Promise<Pulled> {
  const name = withDefaultTag(reference);
  const pulled = await pullOne(name, options, deps);
  tellStatus(
    name.digest === undefined ? familiar(name) : familiar({ ...name, tag: undefined }),
    pulled,
    deps,
  );
  return pulled;
}

/** Pulls every tag that the registry lists for a repository, one after the other: they share most layers. */
export async function pullAll(reference: Reference, options: PullOptions, deps: PullDeps): Promise<Pulled> {
  const tags = await deps.session.tags();
  let last: Pulled | undefined;
  for (const tag of tags) {
    const pulled = await pullOne({ ...reference, tag }, options, deps);
    last = { id: pulled.id, fresh: pulled.fresh || last?.fresh === true };
  }
  if (last === undefined)
    throw new EngineError("notFound", `no tags of ${familiarName(reference)} are in its registry`);
  tellStatus(familiarName(reference), last, deps);
  return last;
}

function tellStatus(shown: string, { fresh }: Pulled, { progress }: PullDeps): void {
  progress({ status: `Status: ${fresh ? "Downloaded newer image" : "Image is up to date"} for ${shown}` });
}

/** @param name with a tag or a digest */
async function pullOne(name: Reference, options: PullOptions, deps: PullDeps): Promise<Pulled> {
  const { store, progress } = deps;
  const wanted = name.digest ?? name.tag ?? "latest";
  const upToDate = await findUpToDate(name, wanted, options, deps);
  if (upToDate !== undefined) {
    progress({ status: `Pulling from ${name.path}`, id: wanted });
    progress({ status: `Digest: ${upToDate.digest}` });
    return { id: upToDate.id, fresh: false };
  }
  const top = await deps.session.manifest(wanted);
  progress({ status: `Pulling from ${name.path}`, id: wanted });
  const manifest = await platformManifest(top, options.platform ?? hostPlatform(), deps);
  const { config, layers } = manifest.parsed as Manifest;
  const isKnown = store.get(config.digest) !== undefined;
  const configBytes = await readConfig(config, deps);
  const diffIds = checkConfig(configBytes, layers);
  // An index says itself what its entries are for.
  if (options.platform !== undefined && top === manifest)
    checkPlatform(configBytes, options.platform, familiar(name));
  deps.lease.hold(
    config.digest,
    top.digest,
    manifest.digest,
    ...diffIds,
    ...layers.map(({ digest }) => digest),
  );
  if (!isKnown) await pullLayers(layers, diffIds, deps);
  await Promise.all([top, manifest].map(({ bytes }) => store.blobs.put(bytes)));
  const before = store.idOfName(name);
  await store.add(configBytes, { manifest: top.digest });
  await store.add(configBytes, { manifest: manifest.digest });
  if (name.digest === undefined) store.setName(name, config.digest, false);
  store.setName({ ...name, tag: undefined, digest: top.digest }, config.digest, false);
  await store.catalog.save();
  progress({ status: `Digest: ${top.digest}` });
  return { id: config.digest, fresh: before !== config.digest };
}

/** One request, or none for a digest, tells that nothing has to be done. */
async function findUpToDate(
  name: Reference,
  wanted: string,
  { platform }: PullOptions,
  { store, session }: PullDeps,
): Promise<{ id: string; digest: string } | undefined> {
  const present = store.idOfName(name);
  if (present === undefined || platform !== undefined) return undefined;
  const digest = isDigest(wanted) ? wanted : (await session.head(wanted))?.digest;
  if (digest === undefined) return undefined;
  const known = store.idOfName({ ...name, tag: undefined, digest });
  return known === present ? { id: present, digest } : undefined;
}

async function platformManifest(
  top: RawManifest,
  platform: Platform,
  { session }: PullDeps,
): Promise<RawManifest> {
  let manifest = top;
  // An index may stand in an index; a chain of them is somebody's mistake.
  for (let depth = 0; manifest.parsed.kind === "index"; depth++) {
    if (depth === 3) throw new EngineError("invalid", "the image's indexes are nested too deeply");
    manifest = await session.manifest(selectPlatform(manifest.parsed, platform).digest);
  }
  return manifest;
}

async function readConfig(config: Descriptor, { store, session }: PullDeps): Promise<Buffer> {
  if (await store.blobs.has(config.digest)) return store.blobs.readNow(config.digest);
  return session.smallBlob(config);
}

/** @returns the layers' diffIds @throws {EngineError} invalid if the configuration is no image's or another one's */
export function checkConfig(bytes: Buffer, layers: readonly unknown[]): readonly string[] {
  let config: Partial<ImageConfig>;
  try {
    config = JSON.parse(bytes.toString("utf8")) as Partial<ImageConfig>;
  } catch (cause) {
    throw new EngineError("invalid", "the image's configuration is no JSON", { cause });
  }
  const diffIds = config?.rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || !diffIds.every((diffId) => typeof diffId === "string" && isDigest(diffId))) {
    throw new EngineError("invalid", `the configuration ${digestOf(bytes)} is no image's`);
  }
  if (diffIds.length !== layers.length) {
    throw new EngineError(
      "invalid",
      `the image has ${layers.length} layers, its configuration ${diffIds.length}`,
    );
  }
  return diffIds;
}

/** @throws {EngineError} notFound, in dockerd's words, which has pulled the image by then */
function checkPlatform(bytes: Buffer, wanted: Platform, shown: string): void {
  const actual = JSON.parse(bytes.toString("utf8")) as Platform;
  const isOther =
    actual.os !== wanted.os ||
    actual.architecture !== wanted.architecture ||
    (actual.variant !== undefined && wanted.variant !== undefined && actual.variant !== wanted.variant);
  if (!isOther) return;
  const [want, have] = [wanted, actual].map(({ os, architecture, variant }) =>
    [os, architecture, variant].filter((part) => part !== undefined && part !== "").join("/"),
  );
  throw new EngineError(
    "notFound",
    `image with reference ${shown} was found but does not match the specified platform: wanted ${want}, actual: ${have}`,
  );
}

async function pullLayers(
  layers: readonly Descriptor[],
  diffIds: readonly string[],
  deps: PullDeps,
): Promise<void> {
  const { store, progress, serial, signal } = deps;
  // A layer that occurs twice is one layer.
  const work = layers
    .map((layer, at) => ({ layer, diffId: diffIds[at] ?? "" }))
    .filter(({ diffId }, at, all) => all.findIndex((other) => other.diffId === diffId) === at)
    .map((item) => ({ ...item, lines: new ItemProgress(progress, shortId(item.layer.digest)) }));
  for (const { diffId, lines } of work)
    lines.status(store.layers.has(diffId) ? "Already exists" : "Pulling fs layer");
  const missing = work.filter(({ diffId }) => !store.layers.has(diffId));
  for (const { lines } of missing.slice(AT_ONCE)) lines.status("Waiting");
  await pool(
    missing,
    AT_ONCE,
    ({ layer, diffId, lines }, stop) =>
      // Another manifest may give the same blob another diffId; its file has one writer at a time, too.
      serial.run(`layer ${diffId}`, () =>
        serial.run(`blob ${layer.digest}`, async () => {
          if (store.layers.has(diffId)) return lines.status("Already exists");
          stop.throwIfAborted();
          await pullLayer(layer, diffId, lines, deps, stop);
          lines.status("Pull complete");
        }),
      ),
    signal,
  );
}

/** What an earlier pull left of a blob, or another store has, may be damaged: then it is fetched from its beginning, once. */
async function pullLayer(...work: Parameters<typeof unpackLayer>): Promise<void> {
  const [layer, , , { store, session }, signal] = work;
  const isResumed = session.neighbour !== undefined || (await hasPartial(store, layer.digest));
  const unpack = async (): Promise<void> => {
    try {
      await unpackLayer(...work);
    } catch (error) {
      if (isBroken(error)) await dropPartial(store, layer.digest);
      throw error;
    }
  };
  try {
    await unpack();
  } catch (error) {
    if (!isBroken(error) || !isResumed || signal.aborted) throw error;
    session.distrust();
    await unpack();
  }
}

/** Whether the bytes themselves are wrong: not the blob that was named, or nothing that can be unpacked. */
function isBroken(error: unknown): boolean {
  if (error instanceof EngineError) return error.kind === "invalid";
  return /^(?:Z_|ZSTD_)/.test((error as NodeJS.ErrnoException).code ?? "");
}

/** Downloads, verifies, decompresses and unpacks in one pass. */
async function unpackLayer(
  layer: Descriptor,
  diffId: string,
  lines: ItemProgress,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<void> {
  const { store, session } = deps;
  let complete = false;
  const received = (bytes: number): void => {
    if (bytes < layer.size) lines.amount("Downloading", bytes, layer.size);
    if (bytes < layer.size || complete) return;
    complete = true;
    lines.status("Verifying Checksum");
    lines.status("Download complete");
    lines.amount("Extracting", layer.size, layer.size);
  };
  const packed = Readable.from(download(store, session, layer, { signal, received }), {
    objectMode: false,
    highWaterMark: 1 << 20,
  });
  // It may fail once more, with nobody reading it, when it is stopped; who reads it has been told by then.
  packed.on("error", () => {});
  const abort = (): void =>
    void packed.destroy(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    const { stream, ownBuffers } = await decompress(packed);
    const { mediaType, digest, size } = layer;
    await store.layers.unpack(stream, diffId, [{ mediaType, digest, size }], { ownBuffers });
  } finally {
    signal.removeEventListener("abort", abort);
    packed.destroy();
  }
}
