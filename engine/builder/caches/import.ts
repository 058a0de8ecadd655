/** Results that other machines have: looked up by key when the own cache has none, fetched when they are needed. */
import type { Readable } from "node:stream";
import { EngineError, messageOf } from "../../errors.ts";
import { decompress } from "../../images/decompress.ts";
import type { Images } from "../../images/images.ts";
import type { Lease } from "../../images/leases.ts";
import { parseReference } from "../../images/reference.ts";
import {
  type Descriptor,
  type Manifest,
  type RawManifest,
  selectPlatform,
} from "../../images/registry/manifest.ts";
import type { Platform } from "../../images/types.ts";
import type { StepCache, StepRecord } from "../cache.ts";
import type { BuildRequest } from "../types.ts";
import type { CacheFrom } from "./entries.ts";
import { CACHE_CONFIG, INLINE, type KnownResults, type PackedLayer, readCache } from "./form.ts";
import { Layout } from "./layout.ts";

export interface ImportDeps {
  readonly images: Images;
  readonly cache: StepCache;
  readonly lease: Lease;
  readonly platform: Platform;
  readonly auth: BuildRequest["auth"];
  readonly signal: AbortSignal | undefined;
  status(text: string): void;
}

/** One place, read. */
interface Source {
  readonly name: string;
  readonly results: KnownResults;
  open(layer: PackedLayer): Promise<Readable>;
}

export class CacheImports {
  readonly #deps: ImportDeps;
  readonly #sources: Promise<readonly Source[]>;

  /** Begins to read all places; one that cannot be read is told of and passed over: the build can do without. */
  constructor(entries: readonly CacheFrom[], deps: ImportDeps) {
    this.#deps = deps;
    this.#sources = Promise.all(entries.map((entry) => this.#read(entry))).then((sources) =>
      sources.filter((source) => source !== undefined),
    );
  }

  /** Takes over the result of one step. @returns undefined where no place has it whole */
  async take(key: string): Promise<StepRecord | undefined> {
    const { cache, images, lease } = this.#deps;
    for (const source of await this.#sources) {
      const found = source.results.get(key);
      if (found === undefined) continue;
      const { record, layer } = found;
      lease.hold(record.diffId);
      if (images.layer(record.diffId) === undefined) {
        if (layer === undefined || !(await this.#unpack(source, layer))) continue;
      }
      await cache.put(record);
      return record;
    }
    return undefined;
  }

  async #unpack(source: Source, layer: PackedLayer): Promise<boolean> {
    const { images, signal, status } = this.#deps;
    try {
      const { stream } = await decompress(await source.open(layer));
      // Refused unless it is what its name says.
      await images.unpackLayer(stream, layer.diffId);
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      status(`the cache ${source.name} has a layer that cannot be used: ${messageOf(error)}`);
      return false;
    }
  }

  async #read(entry: CacheFrom): Promise<Source | undefined> {
    const name = entry.type === "local" ? entry.path : entry.ref;
    try {
      return await (entry.type === "local" ? this.#readLayout(entry) : this.#readRegistry(entry.ref));
    } catch (error) {
      this.#deps.signal?.throwIfAborted();
      this.#deps.status(`the cache ${name} is not used: ${messageOf(error)}`);
      return undefined;
    }
  }

  async #readLayout({ path, tag }: Extract<CacheFrom, { type: "local" }>): Promise<Source> {
    const layout = new Layout(path);
    const results = await this.#results(await layout.manifest(tag), layout, path);
    return { name: path, results, open: async (layer) => layout.blob(layer) };
  }

  async #readRegistry(ref: string): Promise<Source> {
    const { images, auth, signal } = this.#deps;
    const local = images.resolve(ref);
    const inline = local && (local.config as unknown as Readonly<Record<string, unknown>>)[INLINE];
    if (typeof inline === "string") {
      // An image that is here has its layers here.
      return {
        name: ref,
        results: readCache(fromBase64(inline), [], true),
        open: () => Promise.reject(absent(ref)),
      };
    }
    const credentials = await auth?.(parseReference(ref).domain);
    const { session, ...manifest } = await images.remoteManifest(ref, {
      ...(credentials && { auth: credentials }),
      ...(signal && { signal }),
    });
    const results = await this.#results(
      manifest,
      { manifest: (digest) => session.manifest(digest), smallBlob: (blob) => session.smallBlob(blob) },
      ref,
    );
    return { name: ref, results, open: (layer) => session.blob(layer, 0) };
  }

  async #results(
    top: RawManifest,
    from: Pick<Layout, "manifest" | "smallBlob">,
    name: string,
  ): Promise<KnownResults> {
    let { parsed } = top;
    if (parsed.kind === "index") {
      // BuildKit's older form: an index of layers, with the configuration among them.
      const config = parsed.manifests.find(({ mediaType }) => mediaType === CACHE_CONFIG);
      if (config !== undefined)
        return readCache((await from.smallBlob(config)).toString(), parsed.manifests, false);
      ({ parsed } = await from.manifest(selectPlatform(parsed, this.#deps.platform).digest, true));
    }
    if (parsed.kind === "index") throw new EngineError("invalid", "an index of indexes");
    return readResults(parsed, (blob) => from.smallBlob(blob), name);
  }
}

async function readResults(
  { config, layers }: Manifest,
  smallBlob: (blob: Descriptor) => Promise<Buffer>,
  name: string,
): Promise<KnownResults> {
  const text = (await smallBlob(config)).toString();
  if (config.mediaType === CACHE_CONFIG) return readCache(text, layers, false);
  const inline: unknown = (JSON.parse(text) as Record<string, unknown>)[INLINE];
  if (typeof inline !== "string") throw absent(name);
  return readCache(fromBase64(inline), layers, true);
}

function absent(name: string): EngineError {
  return new EngineError("notFound", `${name} has no cache in it`);
}

function fromBase64(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
