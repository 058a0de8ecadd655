/**
 * The catalog as it is on disk. Digests are most of it: each stands there once, and is meant by its place elsewhere,
 * which halves the time that a large store takes to open.
 */

/** What the store knows of an image besides its configuration, which is a blob. */
export interface ImageRecord {
  readonly layers: readonly string[]; // diffIds, bottom first
  readonly parent: string; // image id or ""
  readonly created: string;
  readonly lastTagged: string;
  /** The manifests it came with or was pushed as, newest first: their bytes are blobs. */
  readonly manifests: readonly string[];
  /** Removed by force under a container: no longer listed or found, kept until that container goes. */
  readonly ghost?: boolean;
}

export interface BlobDescriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
}

export interface LayerRecord {
  readonly size: number; // bytes of regular files, unpacked
  readonly archiveSize: number; // bytes as an uncompressed archive
  /** Bytes that its directory takes; found out when somebody asks. */
  readonly disk?: number;
  /** The same layer as it travels: what was pulled, or made for a push. */
  readonly blobs: readonly BlobDescriptor[];
  /** Its archive is made again by a recipe that lies beside its files. */
  readonly recipe?: true;
}

/** All that a catalog says, in memory. */
export interface CatalogContent {
  readonly images: Map<string, ImageRecord>; // by id
  readonly layers: Map<string, LayerRecord>; // by diffId
  readonly names: Map<string, string>; // full reference → image id
}

type LayerRow = [
  diffId: string,
  size: number,
  archiveSize: number,
  disk: number,
  recipe: 0 | 1,
  blobs: BlobRow[],
];
type BlobRow = [digest: string, mediaType: number, size: number];
type ImageRow = [
  id: string,
  layers: (number | string)[], // places, or the diffId of one that is not here
  parent: string,
  created: string,
  lastTagged: string,
  manifests: readonly string[],
  ghost: 0 | 1,
];

interface CatalogFile {
  readonly version: 2;
  readonly mediaTypes: string[];
  readonly layers: LayerRow[];
  readonly images: ImageRow[];
  readonly names: Record<string, string>;
}

/** The disk size of a layer that nobody asked for yet. */
const UNKNOWN = -1;

export function formatCatalog({ images, layers, names }: CatalogContent): string {
  const mediaTypes: string[] = [];
  const places = new Map([...layers.keys()].map((diffId, at) => [diffId, at]));
  const mediaType = (text: string): number => {
    const known = mediaTypes.indexOf(text);
    return known >= 0 ? known : mediaTypes.push(text) - 1;
  };
  const blobRow = (blob: BlobDescriptor): BlobRow => [blob.digest, mediaType(blob.mediaType), blob.size];
  const file: CatalogFile = {
    version: 2,
    mediaTypes,
    layers: [...layers].map(([diffId, { size, archiveSize, disk = UNKNOWN, recipe, blobs }]) => [
      ...([diffId, size, archiveSize, disk, recipe ? 1 : 0] as const),
      blobs.map(blobRow),
    ]),
    images: [...images].map(([id, { layers: own, parent, created, lastTagged, manifests, ghost }]) => [
      id,
      own.map((diffId) => places.get(diffId) ?? diffId),
      ...([parent, created, lastTagged, manifests, ghost ? 1 : 0] as const),
    ]),
    names: Object.fromEntries(names),
  };
  return `${JSON.stringify(file)}\n`;
}

/** @throws {Error} if it is no catalog */
export function parseCatalog(text: string): CatalogContent {
  const file = JSON.parse(text) as CatalogFile | CatalogFileOne;
  if (file.version === 1) return parseOne(file);
  if (file.version !== 2) throw new Error(`a catalog of version ${(file as { version: unknown }).version}`);
  const { mediaTypes } = file;
  const layers = new Map<string, LayerRecord>();
  for (const [diffId, size, archiveSize, disk, recipe, blobs] of file.layers) {
    layers.set(diffId, {
      ...{ size, archiveSize },
      ...(disk !== UNKNOWN && { disk }),
      blobs: blobs.map(([digest, type, bytes]) => ({
        digest,
        mediaType: mediaTypes[type] ?? "",
        size: bytes,
      })),
      ...(recipe === 1 && { recipe: true }),
    });
  }
  const images = new Map<string, ImageRecord>();
  for (const [id, own, parent, created, lastTagged, manifests, ghost] of file.images) {
    images.set(id, {
      layers: own.map((at) => (typeof at === "string" ? at : (file.layers[at]?.[0] ?? ""))),
      ...{ parent, created, lastTagged, manifests },
      ...(ghost === 1 && { ghost: true }),
    });
  }
  return { images, layers, names: new Map(Object.entries(file.names)) };
}

/** As it was before: records by digest. */
interface CatalogFileOne {
  readonly version: 1;
  readonly images: Record<string, ImageRecord>;
  readonly layers: Record<string, LayerRecord>;
  readonly names: Record<string, string>;
}

function parseOne({ images, layers, names }: CatalogFileOne): CatalogContent {
  return {
    images: new Map(Object.entries(images)),
    layers: new Map(Object.entries(layers)),
    names: new Map(Object.entries(names)),
  };
}
