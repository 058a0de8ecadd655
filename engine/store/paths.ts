import { join } from "node:path";

/**
 * Where everything lives: what must survive a reboot beneath the data root, what a reboot may take (sockets,
 * mount points) beneath the exec root. Nothing here touches the disk; `create` in records.ts does.
 */
export class Paths {
  readonly dataRoot: string;
  readonly execRoot: string;

  /** Both are absolute. */
  constructor(dataRoot: string, execRoot: string) {
    this.dataRoot = dataRoot;
    this.execRoot = execRoot;
  }

  get blobs(): string {
    return join(this.dataRoot, "blobs", "sha256");
  }

  /** Half-written blobs; on the same file system as `blobs`, so that finishing is a rename. */
  get ingest(): string {
    return join(this.dataRoot, "ingest");
  }

  get layers(): string {
    return join(this.dataRoot, "layers");
  }

  /** The unpacked tree of a layer. `diffId` is `sha256:<hex>` or the bare hex. */
  layer(diffId: string): string {
    return join(this.layers, hexOf(diffId), "fs");
  }

  get images(): string {
    return join(this.dataRoot, "images");
  }

  /** Holds `<id>.json` (the record) and `<id>/` (upper, work, log, hosts, exit) for each container. */
  get containers(): string {
    return join(this.dataRoot, "containers");
  }

  container(id: string): string {
    return join(this.containers, id);
  }

  get volumes(): string {
    return join(this.dataRoot, "volumes");
  }

  get networks(): string {
    return join(this.dataRoot, "networks");
  }

  get builder(): string {
    return join(this.dataRoot, "builder");
  }

  /** What is removed is renamed to here first and unlinked in the background. Same file system as the data. */
  get trash(): string {
    return join(this.dataRoot, "trash");
  }

  /** The file that says which daemon owns the data root. */
  get lock(): string {
    return join(this.dataRoot, "lock");
  }

  get run(): string {
    return this.execRoot;
  }

  get runContainers(): string {
    return join(this.execRoot, "containers");
  }

  /** Mode 0700: holds the monitor's socket and the mount point of the root file system. */
  runContainer(id: string): string {
    return join(this.runContainers, id);
  }

  get spawnerSocket(): string {
    return join(this.execRoot, "spawner.sock");
  }

  /** Every directory that must exist before a backend opens, parents first, with its mode. */
  get directories(): readonly (readonly [path: string, mode: number])[] {
    return [
      // 0710 as Docker: a user of the host must not reach set-uid files of an image (CVE-2021-41091).
      [this.dataRoot, 0o710],
      [this.execRoot, 0o711],
      [join(this.dataRoot, "blobs"), 0o700],
      [this.blobs, 0o700],
      [this.ingest, 0o700],
      [this.layers, 0o710],
      [this.images, 0o700],
      [this.containers, 0o710],
      [this.volumes, 0o701],
      [this.networks, 0o700],
      [this.builder, 0o710],
      [this.trash, 0o700],
      [this.runContainers, 0o700],
    ];
  }
}

function hexOf(digest: string): string {
  const hex = digest.startsWith("sha256:") ? digest.slice("sha256:".length) : digest;
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new TypeError(`not a sha256 digest: ${digest}`);
  return hex;
}
