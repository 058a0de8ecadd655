/** A named volume, as it is kept on disk; names with a capital are the wire's own. */
export interface VolumeRecord {
  readonly Name: string;
  readonly Driver: string;
  /** RFC 3339, UTC. */
  readonly CreatedAt: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Options: Readonly<Record<string, string>> | null;
}

export interface Volume extends VolumeRecord {
  /** The directory that holds the data, absolute. */
  readonly Mountpoint: string;
  readonly Scope: "local";
}

/** The body of POST /volumes/create. An absent name makes an anonymous volume. */
export interface CreateVolume {
  readonly Name?: string;
  readonly Driver?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
}

/** A container that names volumes, running or not. */
export interface VolumeUser {
  readonly containerId: string;
  readonly volumes: readonly string[];
}

export interface Pruned {
  readonly names: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}
