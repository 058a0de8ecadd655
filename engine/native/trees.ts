/** A file tree that a worker enters. Every path given with it is resolved beneath its root, links included. */
export type TreeRoot = DirectoryTree | OverlayTree | ProcessTree;

export interface DirectoryTree {
  readonly kind: "dir";
  readonly path: string;
}

/** Layers mounted together in a mount namespace of the worker's own; the mount ends with the work. */
/**
 * Overlayfs refuses a directory that is given twice (ELOOP), and images may have a layer twice, such as the empty one of
 * two commands that changed nothing. The upper one of the two hides all that the other has, so that one is left out.
 *
 * @param lowers top first
 */
export function distinctLayers(lowers: readonly string[]): readonly string[] {
  return [...new Set(lowers)];
}

export interface OverlayTree {
  readonly kind: "overlay";
  readonly lowers: readonly string[]; // absolute, top first
  /** Where changes go; without it the tree is read-only. */
  readonly upper?: string;
  readonly work?: string;
  /** What lies over it, such as a stopped container's volumes; parents before children. */
  readonly binds?: readonly TreeBind[];
}

export interface TreeBind {
  readonly source: string; // absolute path of the host
  readonly target: string; // beneath the tree's root
  readonly readonly: boolean;
}

/** What a running process sees as its root, its mounts included. */
export interface ProcessTree {
  readonly kind: "process";
  readonly pid: number; // in the host's pid namespace
}

export type FileType = "file" | "dir" | "symlink" | "char" | "block" | "fifo" | "socket";

export interface FileStat {
  readonly type: FileType;
  readonly mode: number; // permission bits with suid, sgid, sticky: 0..0o7777
  readonly uid: number;
  readonly gid: number;
  readonly size: number; // bytes; 0 for directories
  readonly mtimeNs: bigint; // since the epoch
  readonly device: readonly [major: number, minor: number];
  readonly inode: bigint;
  readonly links: number;
  readonly linkTarget: string; // "" unless a symbolic link
}

export interface WalkEntry extends FileStat {
  /** Relative to the start, "/"-separated, no leading slash; the start itself is "". */
  readonly path: string;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Change {
  readonly path: string; // absolute in the tree
  readonly kind: "modified" | "added" | "deleted";
}
