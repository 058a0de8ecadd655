/** Files of containers. */
import type { Readable } from "node:stream";

export interface FileCalls {
  /** Unpacks a tar into a directory of the container. */
  putArchive(id: string, path: string, tar: Readable | Buffer, options?: PutArchiveOptions): Promise<void>;
  /** A path of the container as a tar, with what it is. */
  getArchive(id: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: Readable }>;
  statPath(id: string, path: string): Promise<PathStat>;
  exportContainer(id: string): Promise<Readable>;
}

export interface PutArchiveOptions {
  readonly noOverwriteDirNonDir?: boolean;
  readonly copyUidGid?: boolean;
}

export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's FileMode: permission bits below, kinds above (directory 1<<31, symlink 1<<27). */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}
