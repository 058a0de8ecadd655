/**
 * Work on files that nobody may do from inside Node: each call is one native process, started by the spawner, that
 * enters a tree and resolves every path beneath its root (openat2), whatever links the tree holds.
 */
import type { Readable } from "node:stream";
import type { Change, FileStat, Owner, TreeRoot, WalkEntry } from "./trees.ts";

export interface UntarOptions {
  /** Directory beneath the root that the entries go to; made when it is missing. Default: the root. */
  readonly path?: string;
  /** `overlay`: `.wh.` entries become overlayfs's whiteouts (an image's layer). `plain`: they are ordinary names. */
  readonly whiteouts: "overlay" | "plain";
  /** Gives all to one owner, whatever the archive says. */
  readonly owner?: Owner;
  /** Refuse to put a file over a directory or a directory over a file (docker cp). */
  readonly keepKinds?: boolean;
  /** Leave a symbolic link to a directory where the archive has a directory, as dpkg does. */
  readonly keepLinks?: boolean;
  /** Several archives follow each other. */
  readonly concatenated?: boolean;
  /** Shell patterns ("*" crosses "/") of paths that are left out; "!" takes in again, the last match counts. */
  readonly exclude?: readonly string[];
  /** The archive is refused when it has more entries, or more bytes of file data, than this. */
  readonly entryLimit?: number;
  readonly byteLimit?: number;
  /**
   * Is given, piece by piece, all of the archive that is no file's content, from which and the files `rebuild` makes
   * the archive again.
   */
  readonly recipe?: (piece: Buffer) => Promise<void>;
  /** Nobody else looks at the archive's buffers, which are freed as they are sent. */
  readonly ownBuffers?: boolean;
}

/** What was unpacked of an archive. */
export interface Unpacked extends TreeSize {
  readonly archiveBytes: number;
  /** Of the archive; only where its whiteouts are overlayfs's, as a layer's are. */
  readonly digest: string;
}

export interface TreeSize {
  readonly entries: number;
  readonly bytes: number; // of files and of links' targets, each inode once
}

/** With what the file system holds for it, directories and all. */
export interface DiskSize extends TreeSize {
  readonly disk: number; // bytes
}

export interface TarOptions {
  /** What to pack, beneath the root; a final link is not followed. Default: the root's content. */
  readonly path?: string;
  /** The name the packed path gets in the archive; "" packs a directory's content without a name. Default: its own. */
  readonly name?: string;
  /** `layer`: overlayfs's whiteouts become `.wh.` entries, its xattrs are left out. */
  readonly whiteouts?: "layer" | "plain";
  /** Seconds since the epoch for every entry instead of its own time. */
  readonly mtime?: number;
  /** Do not descend into other mounts (export: /proc, /sys, volumes). */
  readonly oneFileSystem?: boolean;
  readonly owner?: Owner;
}

export interface CopyItem {
  readonly source: string; // beneath the source tree; a final link is not followed
  readonly target: string; // beneath the target tree; parents are made 0755
  /** Copy what is in the directory, not the directory itself. */
  readonly contents?: boolean;
}

export interface CopyOptions {
  readonly items: readonly CopyItem[];
  /** Source paths (beneath the source root) that are left out, with all below them. */
  readonly exclude?: readonly string[];
  /** When given, only files listed here (beneath the source root), and the directories that lead to them, are copied. */
  readonly only?: readonly string[];
  readonly owner?: Owner;
  /** For each file and directory copied; a string is chmod's symbolic form ("u+x,go-w"). */
  readonly mode?: number | string;
  /** `keep`: the source's times; or seconds since the epoch, for all, or for what is later. */
  readonly mtime?: "keep" | number | { readonly latest: number };
  /** Share regular files by hard link where nothing of them changes and both trees lie on one file system. */
  readonly link?: boolean;
}

export interface Identity {
  readonly digest: string; // of the archive
  readonly archiveBytes: number;
  readonly bytes: number; // of files and of links' targets, each inode once
}

/** What is seen, but neither looked at nor into. */
export interface Skipped {
  readonly paths: readonly string[];
  /** Wherever they are. */
  readonly names: readonly string[];
}

export interface MakeDirectoryOptions extends Partial<Owner> {
  readonly mode?: number; // default 0o755; for directories that are made, existing ones are left alone
}

export interface WriteOptions extends Partial<Owner> {
  readonly mode?: number; // default 0o644
}

/** The operations; engine/native/worker-client.ts has the one implementation. */
export interface Workers {
  /** Unpacks an uncompressed tar. @throws EngineError invalid for a hostile or broken archive */
  untar(archive: AsyncIterable<Buffer>, into: TreeRoot, options: UntarOptions): Promise<Unpacked>;
  /** The very bytes of an archive that was unpacked here, by its recipe. The stream fails if files changed. */
  rebuild(root: TreeRoot, recipe: Readable): Readable;
  /** Packs files beneath a root. The stream fails with the worker's error. */
  tar(root: TreeRoot, options?: TarOptions): Readable;
  /** Every entry beneath `path`, itself first, sorted by name within a directory; links are not followed. */
  walk(root: TreeRoot, path?: string): AsyncIterable<WalkEntry>;
  /** What `tar` would pack of a layer. */
  identify(root: TreeRoot): Promise<Identity>;
  /** What is there, in the bytes of native/scan.h: two that are equal saw the same. */
  scan(root: TreeRoot, skip: Skipped): Promise<Buffer>;
  /** undefined when it does not exist. `follow`: follow a final link (default false). */
  stat(
    root: TreeRoot,
    path: string,
    options?: { follow?: boolean },
  ): Promise<(FileStat & { readonly path: string }) | undefined>;
  /** A regular file's content, links followed inside the root. @throws EngineError notFound, invalid (not a file, larger than limit) */
  read(root: TreeRoot, path: string, limit?: number): Promise<Buffer>;
  write(root: TreeRoot, path: string, content: Buffer | string, options?: WriteOptions): Promise<void>;
  makeDirectory(root: TreeRoot, path: string, options?: MakeDirectoryOptions): Promise<void>;
  /** Asks the file system to lay the directories made in this one apart (ext4); does nothing elsewhere. */
  spread(root: TreeRoot, path: string): Promise<void>;
  /** Removes what is there, a directory with all in it; no error when it is absent. Inside trees; for the store use Trash. */
  remove(root: TreeRoot, path: string): Promise<void>;
  copy(from: TreeRoot, to: TreeRoot, options: CopyOptions): Promise<TreeSize>;
  /** What an overlay's upper directory changes against its lowers, sorted, directories as Docker lists them. */
  changes(upper: string, lowers: readonly string[]): Promise<Change[]>;
  measure(root: TreeRoot, path?: string): Promise<DiskSize>;
}
