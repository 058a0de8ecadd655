/** An OCI image layout in a directory: how a cache lies on disk, and images that other tools bring. */
import { createReadStream, createWriteStream } from "node:fs";
import { access, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EngineError } from "../../errors.ts";
import { digestOf, hexOf } from "../../images/digest.ts";
import { type Descriptor, MEDIA, parseManifest, type RawManifest } from "../../images/registry/manifest.ts";
import { writeDurably } from "../../store/records.ts";

const TAG = "org.opencontainers.image.ref.name";
const VERSION = '{"imageLayoutVersion":"1.0.0"}';

export class Layout {
  readonly #directory: string;

  /** @param directory absolute */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * The manifest of a tag, or of a digest; without either, or where the layout names nothing, its only one.
   *
   * @param isInner the digest is of an index that is in the layout, not of the layout's own list
   * @throws {EngineError} notFound, invalid
   */
  async manifest(name: string, isInner = false): Promise<RawManifest> {
    // What an index within the layout names is in no list.
    if (isInner) return parseManifest(await this.smallBlob({ digest: name, size: 0, mediaType: "" }), "");
    const index = parseManifest(await this.#read("index.json"), MEDIA.ociIndex).parsed;
    const entries = index.kind === "index" ? index.manifests : [];
    const found =
      entries.findLast(({ digest, annotations }) => digest === name || annotations?.[TAG] === name) ??
      (entries.length === 1 && !name.startsWith("sha256:") ? entries[0] : undefined);
    if (found === undefined) throw new EngineError("notFound", `${this.#directory} has no ${name}`);
    return parseManifest(await this.smallBlob(found), found.mediaType);
  }

  /** @throws {EngineError} invalid if it is not what its digest says */
  async smallBlob({ digest }: Descriptor): Promise<Buffer> {
    const bytes = await this.#read(this.#name(digest));
    if (digestOf(bytes) !== digest)
      throw new EngineError("invalid", `${digest} in ${this.#directory} is broken`);
    return bytes;
  }

  /** Unchecked: who unpacks it checks what comes out. */
  blob({ digest }: Descriptor): Readable {
    return createReadStream(join(this.#directory, this.#name(digest)), { highWaterMark: 1 << 20 });
  }

  /** Adds what is not there yet. */
  async add(digest: string, open: () => AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
    const path = join(this.#directory, this.#name(digest));
    await mkdir(join(path, ".."), { recursive: true });
    if (await isThere(path)) return;
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      await pipeline(Readable.from(open(), { objectMode: false }), createWriteStream(temporary));
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Makes a manifest, whose blobs are there, the layout's only one, under full names or none. */
  async name(manifest: Buffer, mediaType: string, names: readonly string[]): Promise<void> {
    const digest = digestOf(manifest);
    await this.add(digest, () => [manifest]);
    const entry = { mediaType, digest, size: manifest.length };
    const entries = names.map((name) => ({
      ...entry,
      annotations: { "io.containerd.image.name": name, [TAG]: name.slice(name.lastIndexOf(":") + 1) },
    }));
    await this.#write(entries.length === 0 ? [entry] : entries);
  }

  /** Gives a manifest, whose blobs are there, a tag. */
  async tag(tag: string, manifest: Buffer, mediaType: string): Promise<void> {
    const digest = digestOf(manifest);
    await this.add(digest, () => [manifest]);
    const others = (await this.#entries()).filter(({ annotations }) => annotations?.[TAG] !== tag);
    const entry = { mediaType, digest, size: manifest.length, annotations: { [TAG]: tag } };
    await this.#write([...others, entry]);
  }

  async #write(manifests: readonly Descriptor[]): Promise<void> {
    const index = { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests };
    await writeDurably(join(this.#directory, "oci-layout"), VERSION, 0o644);
    await writeDurably(join(this.#directory, "index.json"), JSON.stringify(index), 0o644);
  }

  async #entries(): Promise<readonly Descriptor[]> {
    if (!(await isThere(join(this.#directory, "index.json")))) return [];
    const { parsed } = parseManifest(await this.#read("index.json"), MEDIA.ociIndex);
    return parsed.kind === "index" ? parsed.manifests : [];
  }

  #name(digest: string): string {
    return join("blobs", "sha256", hexOf(digest));
  }

  async #read(name: string): Promise<Buffer> {
    return readFile(join(this.#directory, name)).catch((cause: unknown) => {
      throw new EngineError("notFound", `${join(this.#directory, name)} cannot be read`, { cause });
    });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
